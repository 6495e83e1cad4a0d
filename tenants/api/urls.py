"""Addresses."""

from django.urls import path

from tenants.api import documentation  # noqa: F401  # its classes register themselves
from tenants.api.tokens import RefreshView, TokenView

urlpatterns = [
    path("token", TokenView.as_view()),
    path("token/refresh", RefreshView.as_view()),
]
