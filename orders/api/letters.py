"""/api/dead-letters… and /api/admin/replay-dlq."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orders import letter_runs, letters
from orders.api import examples
from orders.api.fields import single
from orders.api.letter_serializers import (
    LetterDetailSerializer,
    LetterPageSerializer,
    LetterQuerySerializer,
    LetterSerializer,
    ReplayManyOutcomeSerializer,
    ReplayManySerializer,
    ReplayOneOutcomeSerializer,
    ReplayOneSerializer,
    ReplaySerializer,
)
from orders.api.orders import next_address
from orders.letter_lists import get_letter, get_replay, page_letters
from orders.models import LetterReplay, ReplayStatus
from tenants.access import Access
from tenants.models import Scope

TAGS = ["dead letters"]
ONCE = ("cursor", "page_size", "search", "received_after", "received_before")
IN_THE_REQUEST_SECONDS = 2.0  # a short replay is done when the answer comes; a worker goes on with a longer one
REHEARSED = 1_000
NOT_WAITING = OpenApiResponse(description="The letter does not wait any more; nothing was changed.")
REHEARSAL = OpenApiExample(
    "What would change",
    response_only=True,
    status_codes=["200"],
    value={
        "dry_run": True,
        "matched": 2,
        "counts": {"stored": 1, "refused": 1, "exceptions_opened": 1},
        "replay": None,
        "letters": [
            {
                "id": 3,
                "outcome": "stored",
                "events": [{"event_type": "payment_failed", "order_id": "1001"}],
                "errors": {},
                "note": "",
            },
            {
                "id": 4,
                "outcome": "refused",
                "events": [],
                "errors": {"occurred_at": ["This field is required."]},
                "note": "",
            },
        ],
        "effects": [{"order_id": "1001", "merchant": "default", "reason": "PAYMENT_FAILED", "effect": "opened"}],
    },
)


def access_of(request: Request) -> Access:
    return cast(Access, request.auth)


class LettersView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="dead_letters_list",
        parameters=[LetterQuerySerializer],
        responses=LetterPageSerializer,
        examples=[examples.LETTERS],
        tags=TAGS,
    )
    def get(self, request: Request) -> Response:
        """Dead letters, newest first, by cursor. Without `status`, those that wait."""
        query = LetterQuerySerializer(data=single(request.query_params, ONCE))
        query.is_valid(raise_exception=True)
        data = query.validated_data
        page = page_letters(query.to_filters(), cursor=data["cursor"], size=data["page_size"])
        found = LetterSerializer(page.rows, many=True).data
        return Response({"next": next_address(request, page.next), "results": found})


class LetterView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="dead_letters_retrieve",
        responses=LetterDetailSerializer,
        examples=[examples.ONE_LETTER],
        tags=TAGS,
    )
    def get(self, request: Request, letter_id: int) -> Response:
        """One dead letter with its raw body and why it was refused."""
        return Response(LetterDetailSerializer(get_letter(letter_id)).data)


class ReplayLetterView(APIView):
    required_scope = Scope.OPERATE

    @extend_schema(
        operation_id="dead_letters_replay",
        request=ReplayOneSerializer,
        responses={200: ReplayOneOutcomeSerializer, 409: NOT_WAITING},
        examples=[examples.EDITED, examples.REPLAYED_ONE],
        tags=TAGS,
    )
    def post(self, request: Request, letter_id: int) -> Response:
        """The letter, or an edited copy in its stead, through the door again. What is still refused goes on waiting."""
        asked = ReplayOneSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data, access = asked.validated_data, access_of(request)
        how: dict[str, Any] = {"actor": access.actor, "dry_run": data["dry_run"]}
        if "body" in data:
            how |= {"body": data["body"].encode("utf-8", "replace"), "headers": data.get("headers")}
            outcome, effects = letters.replay_edited(access.schema, letter_id, **how)
        else:
            outcome, effects = letters.replay_letter(access.schema, letter_id, **how)
        said = {"dry_run": data["dry_run"], **outcome.as_dict(), "effects": [each.as_dict() for each in effects]}
        return Response(said)


class DiscardLetterView(APIView):
    required_scope = Scope.OPERATE

    @extend_schema(
        operation_id="dead_letters_discard",
        request=None,
        responses={200: LetterSerializer, 409: NOT_WAITING},
        examples=[examples.SET_ASIDE],
        tags=TAGS,
    )
    def post(self, request: Request, letter_id: int) -> Response:
        """Sets a letter aside for good; `restore` takes that back."""
        access = access_of(request)
        return Response(LetterSerializer(letters.discard_letter(letter_id, actor=access.actor, now=access.now)).data)


class RestoreLetterView(APIView):
    required_scope = Scope.OPERATE

    @extend_schema(
        operation_id="dead_letters_restore",
        request=None,
        responses={200: LetterSerializer, 409: NOT_WAITING},
        examples=[examples.RESTORED],
        tags=TAGS,
    )
    def post(self, request: Request, letter_id: int) -> Response:
        """A discarded letter waits again."""
        return Response(LetterSerializer(letters.restore_letter(letter_id)).data)


class ReplayView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="dead_letters_replay_progress", responses=ReplaySerializer, examples=[examples.PROGRESS], tags=TAGS
    )
    def get(self, request: Request, replay_id: int) -> Response:
        """How far a replay is."""
        return Response(ReplaySerializer(get_replay(replay_id)).data)


class ReplayManyView(APIView):
    required_scope = Scope.ADMIN

    @extend_schema(
        operation_id="admin_replay_dlq",
        request=ReplayManySerializer,
        responses={200: ReplayManyOutcomeSerializer, 202: ReplayManyOutcomeSerializer},
        examples=[REHEARSAL, examples.REPLAY_ALL, examples.UNDER_WAY],
        tags=TAGS,
    )
    def post(self, request: Request) -> Response:
        """All waiting letters of a filter through the door again. 202: it goes on in the background."""
        asked = ReplayManySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        filters = asked.to_filters(ids=tuple(asked.validated_data.get("ids", ())))
        access = access_of(request)
        if asked.validated_data["dry_run"]:
            return Response(rehearsal_json(letter_runs.rehearse(access.schema, filters, at_most=REHEARSED)))
        started = letter_runs.start_replay(filters, actor=access.actor)
        replay = letter_runs.run_replay(access.schema, started.pk, seconds=IN_THE_REQUEST_SECONDS)
        return Response(replay_json(replay), status=202 if replay.status == ReplayStatus.RUNNING else 200)


def rehearsal_json(found: letter_runs.Rehearsal) -> dict[str, Any]:
    return {
        "dry_run": True,
        "matched": found.matched,
        "counts": found.counts,
        "replay": None,
        "letters": [each.as_dict() for each in found.outcomes],
        "effects": [each.as_dict() for each in found.effects],
    }


def replay_json(replay: LetterReplay) -> dict[str, Any]:
    return {
        "dry_run": False,
        "matched": replay.total,
        "counts": replay.counts,
        "replay": ReplaySerializer(replay).data,
        "letters": [],
        "effects": [],
    }
