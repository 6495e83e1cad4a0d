"""/api/exceptions/ID/actions, /api/approvals: what is done about an exception, and what waits for a person's word."""

from typing import Any, ClassVar

from django.db import connection
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exceptions.api import examples
from exceptions.api.asking import asking_of
from exceptions.errors import NoSuchException
from exceptions.models import ExceptionRecord
from exceptions.playbooks.catalogue import KIND_CHOICES
from exceptions.playbooks.decisions import Decider, approve, reject, run_action, unblock
from exceptions.playbooks.dry_runs import ask_dry_run
from exceptions.playbooks.errors import NoSuchAttempt
from exceptions.playbooks.models import Approval, Attempt, DryRun
from exceptions.playbooks.selectors import actions_of, to_decide
from exceptions.playbooks.words import Mode, State
from tenants.models import Scope, Tenant

TAGS = ["actions"]
MOST_WAITING = 500
WORDS = ("run", "approve", "reject", "dry-run", "unblock")
IMPOSSIBLE = OpenApiResponse(description="Not possible in its present state; nothing was changed.")


class ApprovalSerializer(serializers.ModelSerializer[Approval]):
    class Meta:
        model = Approval
        fields = ("actor", "approved", "reason", "at")


class ActionSerializer(serializers.ModelSerializer[Attempt]):
    """One action, tried once. `request` is what was sent, without secrets; `met_by` the event that it led to."""

    kind = serializers.ChoiceField(KIND_CHOICES)
    title = serializers.CharField(source="get_kind_display")
    state = serializers.ChoiceField(State.choices)
    mode = serializers.ChoiceField(Mode.choices)
    playbook = serializers.CharField(source="plan.playbook.name", default=None, allow_null=True)
    playbook_version = serializers.IntegerField(source="plan.playbook.version", default=None, allow_null=True)
    idempotency_key = serializers.UUIDField(source="key")
    undoable = serializers.SerializerMethodField(help_text="Whether it can be taken back.")
    approvals = ApprovalSerializer(many=True)
    parameters = serializers.DictField()
    request = serializers.DictField(allow_null=True)
    expects = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Attempt
        fields = (
            "id",
            "exception_id",
            "kind",
            "title",
            "state",
            "mode",
            "actor",
            "playbook",
            "playbook_version",
            "step",
            "parameters",
            "idempotency_key",
            "irreversible",
            "undoable",
            "undo",
            "cost",
            "money_cents",
            "currency",
            "approver",
            "approvals_needed",
            "approvals",
            "tries",
            "due_at",
            "request",
            "answer",
            "outcome",
            "expects",
            "expect_until",
            "met_by",
            "created_at",
            "sent_at",
            "answered_at",
            "ended_at",
        )

    def get_undoable(self, attempt: Attempt) -> bool:
        return bool(attempt.undo) and not attempt.irreversible


class DryRunSerializer(serializers.ModelSerializer[DryRun]):
    """`possible` is null until a worker has looked; it seldom takes more than a few seconds."""

    kind = serializers.ChoiceField(KIND_CHOICES)
    request = serializers.DictField(allow_null=True)
    parameters = serializers.DictField()

    class Meta:
        model = DryRun
        fields = (
            "id",
            "kind",
            "parameters",
            "possible",
            "outcome",
            "request",
            "cost",
            "undo",
            "money_cents",
            "currency",
            "asked_at",
            "answered_at",
        )


class DecisionSerializer(serializers.Serializer[Any]):
    """`run` and `dry-run` take `kind` and `parameters`; `approve` and `reject` the `attempt`; `unblock` neither."""

    action = serializers.ChoiceField(WORDS)
    attempt = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    kind = serializers.CharField(required=False, max_length=24)
    parameters = serializers.DictField(required=False, default=dict)
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        wanted = {"run": "kind", "dry-run": "kind", "approve": "attempt", "reject": "attempt"}.get(data["action"])
        if wanted and wanted not in data:
            raise serializers.ValidationError({wanted: [f"“{data['action']}” needs `{wanted}`."]})
        return data


class ActionListSerializer(serializers.Serializer[Any]):
    results = ActionSerializer(many=True)


RUN = OpenApiExample(
    "Tag the order",
    request_only=True,
    value={
        "action": "run",
        "kind": "shopify_tag",
        "parameters": {"tags": ["late"]},
        "reason": "asked by the warehouse",
    },
)


def decider_of(request: Request) -> Decider:
    who: Any = request.auth
    return Decider(who.actor, frozenset(who.scopes))


def tenant_here() -> Tenant:
    """Whose schema the connection stands in."""
    found: Tenant = Tenant.objects.get(schema_name=connection.schema_name)  # type: ignore[attr-defined]
    return found


class ReadAndWrite(APIView):
    """Reading needs `read`, all else the scope that the view names."""

    write_scope: ClassVar[str]

    @property
    def required_scope(self) -> str:
        return Scope.READ if self.request.method == "GET" else self.write_scope


class ActionsView(ReadAndWrite):
    write_scope = Scope.OPERATE

    @extend_schema(
        operation_id="exception_actions_list", responses=ActionListSerializer, examples=[examples.ATTEMPTS], tags=TAGS
    )
    def get(self, request: Request, exception_id: int) -> Response:
        """What was, is and will be done about it, oldest first."""
        if not ExceptionRecord.objects.filter(pk=exception_id).exists():
            raise NoSuchException
        return Response({"results": ActionSerializer(actions_of(exception_id).attempts, many=True).data})

    @extend_schema(
        operation_id="exception_actions_decide",
        request=DecisionSerializer,
        responses={200: ActionListSerializer, 202: DryRunSerializer, 409: IMPOSSIBLE},
        examples=[RUN, examples.ATTEMPTS, examples.LOOKING],
        tags=TAGS,
    )
    def post(self, request: Request, exception_id: int) -> Response:
        """Runs an action, gives or refuses one's word, lets a stopped playbook go on; 202 for a dry run."""
        body = DecisionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        data, asking, by = body.validated_data, asking_of(request), decider_of(request)
        at = {"exception_id": exception_id, "by": by, "now": asking.now, "reason": data["reason"]}
        match data["action"]:
            case "run":
                run_action(kind=data["kind"], parameters=data["parameters"], **at)
            case "approve":
                approve(attempt_id=data["attempt"], parameters=data["parameters"], **at)
            case "reject":
                reject(attempt_id=data["attempt"], **at)
            case "unblock":
                unblock(**at)
            case _:
                return self.dry_run(exception_id, data, by, asking.now)
        return Response({"results": ActionSerializer(actions_of(exception_id).attempts, many=True).data})

    def dry_run(self, exception_id: int, data: dict[str, Any], by: Decider, now: Any) -> Response:
        asked = ask_dry_run(
            tenant=tenant_here(),
            exception_id=exception_id,
            kind=data["kind"],
            parameters=data["parameters"],
            actor=by.actor,
            now=now,
        )
        return Response(DryRunSerializer(asked).data, status=202)


class DryRunView(APIView):
    required_scope = Scope.OPERATE

    @extend_schema(operation_id="exception_dry_run", responses=DryRunSerializer, examples=[examples.LOOKED], tags=TAGS)
    def get(self, request: Request, exception_id: int, dry_run_id: int) -> Response:
        """What the action would do, once a worker has looked."""
        found = DryRun.objects.filter(pk=dry_run_id, exception_id=exception_id).first()
        if found is None:
            raise NoSuchAttempt("There is no dry run with this id at this exception.")
        return Response(DryRunSerializer(found).data)


class ApprovalsView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="approvals_list", responses=ActionListSerializer, examples=[examples.ATTEMPTS], tags=TAGS
    )
    def get(self, request: Request) -> Response:
        """What waits for a person's word: approvals first, then suggestions; at most 500."""
        return Response({"results": ActionSerializer(to_decide()[:MOST_WAITING], many=True).data})
