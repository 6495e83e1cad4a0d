"""The id that ties a request's answer, log lines, spans and stored rows together."""

import re
import secrets
from contextvars import ContextVar

FORM = re.compile(r"[A-Za-z0-9._-]{1,64}")
correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")


def accept_or_make(sent: str | None) -> str:
    """The sender's id if it has the allowed form (CONTRACT 3), else a new one of 32 hexadecimal digits."""
    return sent if sent and FORM.fullmatch(sent) else secrets.token_hex(16)
