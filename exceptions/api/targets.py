"""/api/targets…, /api/deliveries…: where messages go, and what became of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from e2a.errors import Conflict, NotFound, Unprocessable
from exceptions.api import examples
from exceptions.api.actions import ReadAndWrite, tenant_here
from exceptions.api.asking import asking_of
from exceptions.deliveries.models import Delivery, DeliveryState
from exceptions.deliveries.services import retry_delivery
from tenants.models import Scope
from tenants.outgoing.addresses import shown_address
from tenants.outgoing.models import Channel, OutgoingTarget
from tenants.outgoing.services import change_target, create_target, remove_target, rotate_target_secret

TAGS = ["targets"]
MOST_DELIVERIES = 200


class NoSuchTarget(NotFound):
    """There is no target of this name."""


class TargetSerializer(serializers.ModelSerializer[OutgoingTarget]):
    """Of a web address only the host is shown, since whoever knows the whole of it may use it."""

    channel = serializers.ChoiceField(Channel.choices)
    address = serializers.SerializerMethodField()
    signed = serializers.SerializerMethodField(help_text="Whether what goes there is signed (Standard Webhooks).")

    class Meta:
        model = OutgoingTarget
        fields = ("name", "channel", "address", "signed", "active", "created_by", "created_at")

    def get_address(self, target: OutgoingTarget) -> str:
        return shown_address(target.channel, target.address)

    def get_signed(self, target: OutgoingTarget) -> bool:
        return bool(target.secret)


class NewTargetSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=32)
    channel = serializers.CharField(max_length=8)
    address = serializers.CharField(max_length=500)


class SavedTargetSerializer(TargetSerializer):
    """`secret` of a new webhook is shown this once."""

    secret = serializers.CharField(allow_blank=True)

    class Meta(TargetSerializer.Meta):
        fields = (*TargetSerializer.Meta.fields, "secret")  # type: ignore[assignment]


class ChangeTargetSerializer(serializers.Serializer[Any]):
    address = serializers.CharField(required=False, max_length=500)
    active = serializers.BooleanField(required=False)


class TargetListSerializer(serializers.Serializer[Any]):
    results = TargetSerializer(many=True)


class TrySerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    outcome = serializers.CharField()
    answer = serializers.CharField()
    ms = serializers.IntegerField()


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    channel = serializers.ChoiceField(Channel.choices)
    state = serializers.ChoiceField(DeliveryState.choices)
    log = TrySerializer(many=True)

    class Meta:
        model = Delivery
        fields = (
            "id",
            "key",
            "channel",
            "target",
            "exception_id",
            "state",
            "tries",
            "due_at",
            "log",
            "created_at",
            "ended_at",
        )


class DeliveryListSerializer(serializers.Serializer[Any]):
    results = DeliverySerializer(many=True)


WEBHOOK = OpenApiExample(
    "A webhook",
    request_only=True,
    value={"name": "wms", "channel": "webhook", "address": "https://wms.example.com/e2a"},
)


@contextmanager
def as_problem() -> Iterator[None]:
    """Raises: Unprocessable with the fields of a ValidationError."""
    try:
        yield
    except ValidationError as wrong:
        raise Unprocessable(errors=wrong.message_dict) from None


def target_named(name: str) -> OutgoingTarget:
    """Of this tenant. Raises: NoSuchTarget."""
    found = OutgoingTarget.objects.filter(tenant=tenant_here(), name=name).first() if "\0" not in name else None
    if found is None:
        raise NoSuchTarget
    return found


class TargetsView(ReadAndWrite):
    write_scope = Scope.ADMIN

    @extend_schema(operation_id="targets_list", responses=TargetListSerializer, examples=[examples.TARGETS], tags=TAGS)
    def get(self, request: Request) -> Response:
        rows = OutgoingTarget.objects.filter(tenant=tenant_here())
        return Response({"results": TargetSerializer(rows, many=True).data})

    @extend_schema(
        operation_id="targets_create",
        request=NewTargetSerializer,
        responses={201: SavedTargetSerializer},
        examples=[WEBHOOK, examples.MADE_TARGET],
        tags=TAGS,
    )
    def post(self, request: Request) -> Response:
        """The address is resolved, and refused where it lies inside a private network."""
        body = NewTargetSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with as_problem():
            made = create_target(tenant=tenant_here(), actor=asking_of(request).actor, **body.validated_data)
        return Response({**TargetSerializer(made.row).data, "secret": made.secret}, status=201)


class TargetView(ReadAndWrite):
    write_scope = Scope.ADMIN

    @extend_schema(
        operation_id="targets_retrieve", responses=TargetSerializer, examples=[examples.ONE_TARGET], tags=TAGS
    )
    def get(self, request: Request, name: str) -> Response:
        return Response(TargetSerializer(target_named(name)).data)

    @extend_schema(
        operation_id="targets_change",
        request=ChangeTargetSerializer,
        responses=TargetSerializer,
        examples=[examples.CHANGE_TARGET, examples.ONE_TARGET],
        tags=TAGS,
    )
    def patch(self, request: Request, name: str) -> Response:
        body = ChangeTargetSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with as_problem():
            change_target(target=target_named(name), **body.validated_data)
        return Response(TargetSerializer(target_named(name)).data)

    @extend_schema(operation_id="targets_remove", responses={204: None}, tags=TAGS)
    def delete(self, request: Request, name: str) -> Response:
        remove_target(target=target_named(name))
        return Response(status=204)


class RotateView(APIView):
    required_scope = Scope.ADMIN

    @extend_schema(
        operation_id="targets_rotate",
        request=None,
        responses=SavedTargetSerializer,
        examples=[examples.ROTATED],
        tags=TAGS,
    )
    def post(self, request: Request, name: str) -> Response:
        """A new secret, shown this once; the old one signs beside it for a day."""
        with as_problem():
            made = rotate_target_secret(target=target_named(name), now=asking_of(request).now)
        return Response({**TargetSerializer(made.row).data, "secret": made.secret})


class DeliveriesView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="deliveries_list", responses=DeliveryListSerializer, examples=[examples.DELIVERIES], tags=TAGS
    )
    def get(self, request: Request) -> Response:
        """The newest 200 messages with each of their tries."""
        rows = Delivery.objects.order_by("-created_at", "-pk")[:MOST_DELIVERIES]
        return Response({"results": DeliverySerializer(rows, many=True).data})


class RetryView(APIView):
    required_scope = Scope.OPERATE

    @extend_schema(
        operation_id="deliveries_retry",
        request=None,
        responses={200: DeliverySerializer, 409: OpenApiResponse(description="It has not failed, or is an e-mail.")},
        examples=[examples.SENT_AGAIN],
        tags=TAGS,
    )
    def post(self, request: Request, delivery_id: int) -> Response:
        """Sends a failed webhook or Slack message once more."""
        if not Delivery.objects.filter(pk=delivery_id).exists():
            raise NotFound("There is no delivery with this id.")
        if not retry_delivery(delivery_id=delivery_id, now=asking_of(request).now):
            raise Conflict("Only a webhook or Slack message that failed can be sent again. Nothing was changed.")
        return Response(DeliverySerializer(Delivery.objects.get(pk=delivery_id)).data)
