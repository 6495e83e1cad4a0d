"""/api/notifications…: what the asking member was told, and what that member has chosen. A key is nobody and has none."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from e2a.errors import Forbidden
from exceptions.api import examples
from exceptions.api.actions import tenant_here
from exceptions.api.asking import asking_of
from exceptions.choices import Severity
from exceptions.notifications import services
from exceptions.notifications.choosing import CHOICES, Chosen, chosen_of, save_chosen
from exceptions.notifications.letters import line_of
from exceptions.notifications.models import Notification
from exceptions.notifications.selectors import count_unread, page_inbox
from exceptions.notifications.words import Matter
from tenants.models import Scope, User

TAGS = ["notifications"]
MOST_IDS = 1000


class KeyIsNobody(Forbidden):
    """A key is nobody, so nobody tells it anything: ask with a member's token."""


def member_of(request: Request) -> User:
    """Raises: KeyIsNobody."""
    user = asking_of(request).user
    if user is None:
        raise KeyIsNobody
    return user


class InboxQuerySerializer(serializers.Serializer[Any]):
    unread = serializers.BooleanField(required=False, default=False, help_text="Only what is unread.")
    before = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1, help_text="Older than this id.")
    page_size = serializers.IntegerField(required=False, default=50, min_value=1, max_value=200)


class NotificationSerializer(serializers.ModelSerializer[Notification]):
    matter = serializers.ChoiceField(Matter.choices)
    text = serializers.SerializerMethodField()
    exception_id = serializers.IntegerField(allow_null=True)
    order_id = serializers.SerializerMethodField()
    read_at = serializers.DateTimeField(allow_null=True)

    class Meta:
        model = Notification
        fields = ("id", "matter", "text", "exception_id", "order_id", "created_at", "read_at")

    def get_text(self, row: Notification) -> str:
        return line_of(row).text

    def get_order_id(self, row: Notification) -> str | None:
        return row.exception.order_ref if row.exception else None


class InboxSerializer(serializers.Serializer[Any]):
    unread = serializers.IntegerField(help_text="How many are unread, up to 100.")
    before = serializers.IntegerField(allow_null=True, help_text="For the next page; null on the last.")
    results = NotificationSerializer(many=True)


class ReadSerializer(serializers.Serializer[Any]):
    """Either `ids`, or `through`: all up to this id."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), required=False, max_length=MOST_IDS
    )
    through = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in data) == ("through" in data):
            raise serializers.ValidationError({"ids": ["Give either `ids` or `through`."]})
        return data


class ReadOutcomeSerializer(serializers.Serializer[Any]):
    read = serializers.IntegerField(help_text="How many were unread until now.")


class ChosenSerializer(serializers.Serializer[Any]):
    chosen = serializers.ListField(
        child=serializers.CharField(max_length=24),
        max_length=len(CHOICES),
        help_text="`MATTER:WAY` of what is on, such as `mentioned:email`; the ways are page, email, slack and webhook.",
    )
    least_severity = serializers.ChoiceField(
        Severity.choices, allow_blank=True, help_text="Of others' exceptions; empty: only one's own are told of."
    )
    timezone = serializers.CharField(max_length=64)
    quiet_from = serializers.TimeField(allow_null=True, required=False, default=None)
    quiet_until = serializers.TimeField(allow_null=True, required=False, default=None)
    escalations_always = serializers.BooleanField(required=False, default=False, help_text="In quiet hours too.")
    digest_at = serializers.TimeField()
    slack_target = serializers.CharField(allow_blank=True, required=False, default="", max_length=32)
    webhook_target = serializers.CharField(allow_blank=True, required=False, default="", max_length=32)


CHOSEN = OpenApiExample(
    "What a person has chosen",
    value={
        "chosen": ["assigned:page", "mentioned:email", "mentioned:page"],
        "least_severity": "CRITICAL",
        "timezone": "Europe/Lisbon",
        "quiet_from": "22:00:00",
        "quiet_until": "07:00:00",
        "escalations_always": False,
        "digest_at": "08:00:00",
        "slack_target": "",
        "webhook_target": "",
    },
)


class NotificationsView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="notifications_list",
        parameters=[InboxQuerySerializer],
        responses=InboxSerializer,
        examples=[examples.INBOX],
        tags=TAGS,
    )
    def get(self, request: Request) -> Response:
        """What the asking member was told on the page, newest first."""
        user = member_of(request)
        query = InboxQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        data = query.validated_data
        page = page_inbox(user.pk, unread=data["unread"], before=data.get("before"), size=data["page_size"])
        results = NotificationSerializer(page.rows, many=True).data
        return Response({"unread": count_unread(user.pk), "before": page.before, "results": results})


class NotificationsReadView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="notifications_read",
        request=ReadSerializer,
        responses=ReadOutcomeSerializer,
        examples=[examples.READ, examples.WERE_READ],
        tags=TAGS,
    )
    def post(self, request: Request) -> Response:
        """Marks one's own notifications read."""
        user, body = member_of(request), ReadSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        now, data = asking_of(request).now, body.validated_data
        if "ids" in data:
            return Response({"read": services.mark_read(user_id=user.pk, ids=data["ids"], now=now)})
        return Response({"read": services.mark_all_read(user_id=user.pk, through=data["through"], now=now)})


class NotificationSettingsView(APIView):
    required_scope = Scope.READ
    serializer_class = ChosenSerializer

    @extend_schema(operation_id="notification_settings", responses=ChosenSerializer, examples=[CHOSEN], tags=TAGS)
    def get(self, request: Request) -> Response:
        """What reaches the asking member, and how."""
        return Response(chosen_json(chosen_of(member_of(request).pk, tenant_here())))

    @extend_schema(
        operation_id="notification_settings_set",
        request=ChosenSerializer,
        responses=ChosenSerializer,
        examples=[CHOSEN],
        tags=TAGS,
    )
    def put(self, request: Request) -> Response:
        user, body = member_of(request), ChosenSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        wanted = Chosen(**{**data, "chosen": frozenset(data["chosen"])})
        save_chosen(user_id=user.pk, tenant=tenant_here(), chosen=wanted, now=asking_of(request).now)
        return Response(chosen_json(chosen_of(user.pk, tenant_here())))


def chosen_json(chosen: Chosen) -> dict[str, Any]:
    kept = asdict(chosen) | {"chosen": sorted(chosen.chosen)}
    return dict(ChosenSerializer(kept).data)
