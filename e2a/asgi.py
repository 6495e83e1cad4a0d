"""The web server's entrance (Daphne): pages, admin, the API and the websocket."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "e2a.settings")
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter  # noqa: E402  # the apps must be loaded first
from django.utils.module_loading import import_string  # noqa: E402

from e2a.observability.watchers import start_watchers  # noqa: E402

start_watchers()
application = ProtocolTypeRouter(
    {"http": django_application, "websocket": import_string("tenants.sockets.application")}
)
