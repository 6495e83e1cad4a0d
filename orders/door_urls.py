"""The door's addresses, the same on every host, with and without a trailing slash: senders take a redirect for a failure."""

from django.urls import re_path

from orders.api.events import post_batch, post_event
from orders.webhooks import webhook

urlpatterns = [
    re_path(r"^events/?$", post_event, name="post-event"),
    re_path(r"^events/batch/?$", post_batch, name="post-batch"),
    re_path(r"^webhooks/(?P<tenant>[^/]+)/(?P<source>[^/]+)/?$", webhook, name="webhook"),
]
