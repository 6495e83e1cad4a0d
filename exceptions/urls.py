"""Addresses of the pages on a tenant's host."""

from django.urls import path

from exceptions.pages.live import live

urlpatterns = [
    path("live", live, name="live"),
]
