"""OpenAPI 3.1 at /api/schema, its page at /api/docs."""

from django.urls import path
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularAPIView

urlpatterns = [
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", TemplateView.as_view(template_name="api_docs.html"), name="docs"),
]
