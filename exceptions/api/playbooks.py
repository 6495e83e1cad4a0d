"""/api/playbooks…: what is done about each reason, and how well it went."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exceptions.api import examples
from exceptions.api.actions import ReadAndWrite, tenant_here
from exceptions.api.asking import asking_of
from exceptions.choices import Reason
from exceptions.playbooks.catalogue import ACTION_KINDS
from exceptions.playbooks.errors import NoSuchPlaybook
from exceptions.playbooks.library import install_defaults, newest, save_playbook, switch_playbook
from exceptions.playbooks.models import Playbook
from exceptions.playbooks.selectors import newest_playbooks, outcomes, versions_of
from tenants.models import Scope

TAGS = ["playbooks"]
OVERTAKEN = OpenApiResponse(description="Somebody has changed it meanwhile; nothing was changed.")
STEPS = [
    {"kind": "shopify_tag", "mode": "automatic", "parameters": {"tags": ["late"]}},
    {
        "kind": "shopify_refund",
        "mode": "approve",
        "approver": "manager",
        "two_people_above_cents": 20000,
        "expects": ["order_refunded"],
        "within_minutes": 60,
    },
]


class PlaybookSerializer(serializers.ModelSerializer[Playbook]):
    reason_code = serializers.ChoiceField(Reason.choices)
    steps = serializers.ListField(child=serializers.DictField())

    class Meta:
        model = Playbook
        fields = ("reason_code", "version", "name", "enabled", "steps", "note", "created_by", "created_at")


class PlaybookBodySerializer(serializers.Serializer[Any]):
    """`based_on`: the version that was edited (0 for a first one); without it the newest is replaced whatever it is."""

    name = serializers.CharField(max_length=60)
    steps = serializers.ListField(child=serializers.DictField())
    enabled = serializers.BooleanField(required=False, default=True)
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    based_on = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0)


class ParameterSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    shape = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    at_run = serializers.BooleanField(help_text="Given by whoever runs or approves the action, not in the playbook.")
    choices = serializers.ListField(child=serializers.CharField())


class KindSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    channel = serializers.CharField()
    does = serializers.CharField()
    undo = serializers.CharField()
    irreversible = serializers.BooleanField()
    customer_sees = serializers.BooleanField()
    moves_money = serializers.BooleanField()
    parameters = ParameterSerializer(many=True)


class ActionOutcomeSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(source="kind.name")
    title = serializers.CharField(source="kind.title")
    done = serializers.IntegerField()
    fulfilled = serializers.IntegerField()
    missed = serializers.IntegerField()
    failed = serializers.IntegerField()
    uncertain = serializers.IntegerField()
    waiting = serializers.IntegerField()
    success_rate = serializers.FloatField(
        allow_null=True, help_text="Of those decided; what the orders said afterwards."
    )


class PlaybookListSerializer(serializers.Serializer[Any]):
    results = PlaybookSerializer(many=True)


class KindListSerializer(serializers.Serializer[Any]):
    results = KindSerializer(many=True)


class ActionOutcomeListSerializer(serializers.Serializer[Any]):
    results = ActionOutcomeSerializer(many=True)


BODY = OpenApiExample(
    "Two steps", request_only=True, value={"name": "handover-late", "steps": STEPS, "note": "refund by hand"}
)


class PlaybooksView(ReadAndWrite):
    write_scope = Scope.ADMIN

    @extend_schema(
        operation_id="playbooks_list", responses=PlaybookListSerializer, examples=[examples.PLAYBOOKS], tags=TAGS
    )
    def get(self, request: Request) -> Response:
        """The newest version of each reason's playbook."""
        return Response({"results": PlaybookSerializer(newest_playbooks(), many=True).data})

    @extend_schema(
        operation_id="playbooks_install",
        request=None,
        responses=PlaybookListSerializer,
        examples=[examples.PLAYBOOKS],
        tags=TAGS,
    )
    def post(self, request: Request) -> Response:
        """Installs the default playbooks for each reason that has none."""
        asking = asking_of(request)
        made = install_defaults(tenant=tenant_here(), actor=asking.actor, now=asking.now)
        found = newest_playbooks().filter(reason_code__in=made)
        return Response({"results": PlaybookSerializer(found, many=True).data})


class PlaybookView(ReadAndWrite):
    write_scope = Scope.ADMIN

    @extend_schema(
        operation_id="playbooks_retrieve", responses=PlaybookSerializer, examples=[examples.ONE_PLAYBOOK], tags=TAGS
    )
    def get(self, request: Request, reason_code: str) -> Response:
        found = newest(reason_code)
        if found is None:
            raise NoSuchPlaybook
        return Response(PlaybookSerializer(found).data)

    @extend_schema(
        operation_id="playbooks_save",
        request=PlaybookBodySerializer,
        responses={200: PlaybookSerializer, 409: OVERTAKEN},
        examples=[BODY, examples.ONE_PLAYBOOK],
        tags=TAGS,
    )
    def put(self, request: Request, reason_code: str) -> Response:
        """A new version, in force from now on. What runs under an older one keeps it."""
        body = PlaybookBodySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asking = asking_of(request)
        made = save_playbook(
            tenant=tenant_here(), reason_code=reason_code, actor=asking.actor, now=asking.now, **body.validated_data
        )
        return Response(PlaybookSerializer(made).data)

    @extend_schema(
        operation_id="playbooks_switch_off",
        responses={200: PlaybookSerializer, 409: OVERTAKEN},
        examples=[examples.SWITCHED_OFF],
        tags=TAGS,
    )
    def delete(self, request: Request, reason_code: str) -> Response:
        """Switches it off, as a new version; nothing is forgotten."""
        asking = asking_of(request)
        made = switch_playbook(
            tenant=tenant_here(), reason_code=reason_code, enabled=False, actor=asking.actor, now=asking.now
        )
        return Response(PlaybookSerializer(made).data)


class PlaybookVersionsView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="playbooks_versions", responses=PlaybookListSerializer, examples=[examples.PLAYBOOKS], tags=TAGS
    )
    def get(self, request: Request, reason_code: str) -> Response:
        """Every version, the newest first."""
        return Response({"results": PlaybookSerializer(versions_of(reason_code), many=True).data})


class KindsView(APIView):
    required_scope = Scope.READ

    @extend_schema(operation_id="playbooks_kinds", responses=KindListSerializer, examples=[examples.KINDS], tags=TAGS)
    def get(self, request: Request) -> Response:
        """The closed list of what a step can do."""
        return Response({"results": KindSerializer(ACTION_KINDS.values(), many=True).data})


class OutcomesView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="playbooks_outcomes",
        responses=ActionOutcomeListSerializer,
        examples=[examples.OUTCOMES],
        tags=TAGS,
    )
    def get(self, request: Request) -> Response:
        """How each kind of action went in the last 90 days."""
        return Response({"results": ActionOutcomeSerializer(outcomes(now=asking_of(request).now), many=True).data})
