"""The public host: the platform's admin, and the API for programs."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", include("e2a.programs_urls")),
    path("admin/", admin.site.urls),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("", RedirectView.as_view(url="/admin/")),
]

handler403 = "e2a.pages.forbidden"
handler404 = "e2a.pages.not_found"
handler500 = "e2a.pages.server_error"
