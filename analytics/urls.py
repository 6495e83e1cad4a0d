"""Addresses of the pages on a tenant's host."""

from django.urls import path

from analytics import pages

urlpatterns = [
    path("", pages.dashboard, name="dashboard"),
    path("trends/", pages.trends, name="dashboard-trends"),
]
