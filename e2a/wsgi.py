"""The API server's entrance (granian): events, webhooks and the API."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "e2a.settings")
application = get_wsgi_application()
