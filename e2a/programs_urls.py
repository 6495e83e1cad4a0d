"""Addresses for programs: the same on every host. Apps are named, never imported (DESIGN: the ground floor imports no app)."""

from django.urls import include, path

from e2a import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("", include("orders.door_urls")),
    path("api/", include("e2a.schema_urls")),
    path("api/", include("tenants.api.urls")),
    path("api/", include("orders.api.urls")),
    path("api/", include("exceptions.api.urls")),
    path("api/", include("analytics.api.urls")),
]
