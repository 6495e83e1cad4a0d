"""What the door is compared with, on the same server: a plain DRF view that only stores the event. No key, no order, no verdict."""
# ruff: noqa: I001  # by the first import Django loads its apps, which the others need

from e2a.rsgi import application

from django.conf import settings
from django.urls import path
from django.utils import timezone
from django_tenants.utils import schema_context
from rest_framework import generics, serializers

from orders.models import Event

__all__ = ["application"]
settings.PUBLIC_SCHEMA_URLCONF = __name__


class EventSerializer(serializers.ModelSerializer[Event]):
    order_id = serializers.CharField(source="order_ref", max_length=128)

    class Meta:
        model = Event
        fields = ("source", "event_type", "event_id", "order_id", "occurred_at", "payload")


class PlainView(generics.CreateAPIView[Event]):
    authentication_classes = ()
    permission_classes = ()
    queryset = Event.objects.all()
    serializer_class = EventSerializer

    def perform_create(self, serializer: serializers.BaseSerializer[Event]) -> None:
        now = timezone.now()
        serializer.save(merchant="default", received_at=now, effective_at=now, content_hash=bytes(16))


plain_view = PlainView.as_view()


def plain(request: object) -> object:
    with schema_context("bench"):
        return plain_view(request)


plain.csrf_exempt = True  # type: ignore[attr-defined]
urlpatterns = [path("events", plain)]
