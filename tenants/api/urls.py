"""Addresses."""

from django.urls import path

from tenants.api.tokens import RefreshView, TokenView

urlpatterns = [
    path("token", TokenView.as_view()),
    path("token/refresh", RefreshView.as_view()),
]
