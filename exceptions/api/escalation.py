"""/api/escalation: the chains and the rota in force, who is on call, and a new version of them."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from exceptions.api.actions import ReadAndWrite, tenant_here
from exceptions.api.asking import asking_of
from exceptions.escalation.rota import on_call
from exceptions.escalation.selectors import InForce, plan_in_force, team
from exceptions.escalation.services import save_plan
from tenants.models import Scope

TAGS = ["escalation"]
PLAN: dict[str, Any] = {
    "version": 3,
    "chains": {
        "HIGH": [
            {"after_minutes": 15, "unless": "acknowledged", "effect": "notify", "to": "on_call"},
            {"after_minutes": 120, "unless": "resolved", "effect": "assign", "to": "role:manager"},
        ]
    },
    "rota": {
        "timezone": "Europe/Lisbon",
        "shifts": [{"days": [0, 1, 2, 3, 4], "from": "08:00", "until": "20:00", "user_id": 7}],
        "overrides": [{"date": "2026-12-24", "from": "08:00", "until": "20:00", "user_id": None}],
    },
}


class PlanSerializer(serializers.Serializer[Any]):
    """`chains`: steps by severity. `to` is `on_call`, `role:ROLE` or `user:ID`. In the rota 0 is Monday."""

    version = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, help_text="The one that was edited; 0 at first."
    )
    chains = serializers.DictField()
    rota = serializers.DictField()


class OnCallSerializer(serializers.Serializer[Any]):
    user_id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)


class InForceSerializer(PlanSerializer):
    on_call = OnCallSerializer()


EXAMPLE = OpenApiExample("A plan", request_only=True, value=PLAN)
SHOWN = OpenApiExample(
    "What is in force",
    response_only=True,
    status_codes=["200"],
    value={**PLAN, "on_call": {"user_id": 7, "name": "anna", "until": "2026-11-25T20:00:00Z"}},
)


class EscalationView(ReadAndWrite):
    write_scope = Scope.ADMIN

    @extend_schema(operation_id="escalation", responses=InForceSerializer, examples=[SHOWN], tags=TAGS)
    def get(self, request: Request) -> Response:
        return Response(self.shown(request, plan_in_force(tenant_here().timezone)))

    @extend_schema(
        operation_id="escalation_set",
        request=PlanSerializer,
        responses={200: InForceSerializer, 409: OpenApiResponse(description="Somebody else saved meanwhile.")},
        examples=[EXAMPLE, SHOWN],
        tags=TAGS,
    )
    def put(self, request: Request) -> Response:
        """A new version, in force at once."""
        body, asking = PlanSerializer(data=request.data), asking_of(request)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        save_plan(
            base=data["version"],
            chains=data["chains"],
            rota=data["rota"],
            members=[person.user_id for person in team()],
            actor=asking.actor,
            now=asking.now,
        )
        return Response(self.shown(request, plan_in_force()))

    def shown(self, request: Request, found: InForce) -> dict[str, Any]:
        names = {person.user_id: person.name for person in team()}
        now = on_call(found.plan.rota, asking_of(request).now)
        rota = found.row.rota if found.row else {"timezone": found.plan.rota.timezone, "shifts": [], "overrides": []}
        return {
            "version": found.version,
            "chains": found.row.chains if found.row else {},
            "rota": rota,
            "on_call": {"user_id": now.user_id, "name": names.get(now.user_id or 0), "until": now.until},
        }
