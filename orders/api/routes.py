"""Addresses of the API, which answer with and without a trailing slash and never redirect."""

from django.urls import URLPattern, path
from rest_framework.views import APIView


def both(route: str, view: type[APIView], name: str) -> list[URLPattern]:
    """The schema lists the address without the slash only."""
    return [path(route, view.as_view(), name=name), path(f"{route}/", view.as_view(schema=None))]
