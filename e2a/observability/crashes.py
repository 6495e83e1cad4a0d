"""Crash reports (Sentry), loaded only where the environment names who takes them: the traceback, but no body, value or secret."""

import sentry_sdk
from django.conf import settings


def start() -> None:
    sentry_sdk.init(
        settings.SENTRY_DSN,
        environment=settings.APP_ENV,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
    )
