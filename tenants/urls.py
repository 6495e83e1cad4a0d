"""Addresses on a tenant's host."""

from django.urls import path

from tenants import pages

urlpatterns = [
    path("login/", pages.sign_in, name="login"),
    path("logout/", pages.sign_out, name="logout"),
]
