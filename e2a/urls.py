"""A tenant's host: pages for its people, and the API."""

from django.urls import include, path

urlpatterns = [
    path("", include("e2a.programs_urls")),
    path("", include("analytics.urls")),
    path("", include("exceptions.urls")),
    path("", include("orders.urls")),
    path("", include("tenants.urls")),
]

handler403 = "e2a.pages.forbidden"
handler404 = "e2a.pages.not_found"
handler500 = "e2a.pages.server_error"
