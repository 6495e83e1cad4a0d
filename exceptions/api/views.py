"""/api/exceptions: the list, its file, one, and what can be done with it."""

from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from e2a.streaming import stream_file
from e2a.workbook import CONTENT_TYPE
from exceptions import services
from exceptions.api import examples
from exceptions.api.acts import INPUTS, read_act
from exceptions.api.asking import Asking, asking_of
from exceptions.api.export import csv_lines, workbook_bytes
from exceptions.api.serializers import (
    BY_PRIORITY,
    ONCE,
    BulkOutcomeSerializer,
    BulkSerializer,
    ExceptionDetailSerializer,
    ExceptionPageSerializer,
    ExceptionQuerySerializer,
    ExceptionSerializer,
    FilterSerializer,
)
from exceptions.models import ExceptionRecord
from exceptions.selectors import (
    Filters,
    assignee_names,
    filter_exceptions,
    get_exception,
    page_by_priority,
    page_exceptions,
)
from exceptions.services import Outcome
from orders.api.fields import single
from orders.api.orders import next_address
from tenants.models import Scope

TAGS = ["exceptions"]
IMPOSSIBLE = OpenApiResponse(description="Not possible in its present state; nothing was changed.")


class ExceptionsView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="exceptions_list",
        parameters=[ExceptionQuerySerializer],
        responses=ExceptionPageSerializer,
        examples=[examples.PAGE],
        tags=TAGS,
    )
    def get(self, request: Request) -> Response:
        """Exceptions by cursor, newest first or by priority. Without `verdict`, those that never were are left out."""
        asking = asking_of(request)
        query = ExceptionQuerySerializer(data=single(request.query_params, ONCE), context={"asking": asking})
        query.is_valid(raise_exception=True)
        data = query.validated_data
        paged = page_by_priority if data["sort"] == BY_PRIORITY else page_exceptions
        page = paged(query.to_filters(), now=asking.now, cursor=data["cursor"], size=data["page_size"])
        results = ExceptionSerializer(page.rows, many=True, context={"names": assignee_names(page.rows)}).data
        return Response({"next": next_address(request, page.next), "results": results})


class ExceptionsFileView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="exceptions_csv",
        parameters=[FilterSerializer],
        responses={(200, "text/csv"): OpenApiTypes.STR},
        tags=TAGS,
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """The whole list of a filter as a CSV file."""
        asking, filters = filters_asked(request)
        lines = csv_lines(filters, asking)
        return stream_file(request._request, lines, name="exceptions.csv", content_type="text/csv; charset=utf-8")


class ExceptionsWorkbookView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="exceptions_xlsx",
        parameters=[FilterSerializer],
        responses={(200, CONTENT_TYPE): OpenApiTypes.BINARY},
        tags=TAGS,
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """The whole list of a filter as an Excel workbook, with the columns of the CSV file."""
        asking, filters = filters_asked(request)
        parts = workbook_bytes(filters, asking)
        return stream_file(request._request, parts, name="exceptions.xlsx", content_type=CONTENT_TYPE)


def filters_asked(request: Request) -> tuple[Asking, Filters]:
    asking = asking_of(request)
    query = FilterSerializer(data=single(request.query_params, ONCE), context={"asking": asking})
    query.is_valid(raise_exception=True)
    return asking, query.to_filters()


class ExceptionView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="exceptions_retrieve", responses=ExceptionDetailSerializer, examples=[examples.DETAIL], tags=TAGS
    )
    def get(self, request: Request, exception_id: int) -> Response:
        """All of an exception, with its timeline."""
        return Response(ExceptionDetailSerializer(get_exception(exception_id, now=asking_of(request).now)).data)


class ActView(APIView):
    """One action, one address. The change and who made it are in the timeline; what is not possible answers 409."""

    required_scope = Scope.OPERATE
    action: ClassVar[str]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        extend_schema_view(post=extend_schema(examples=[examples.BODIES[cls.action], examples.DETAIL]))(cls)

    @property
    def serializer_class(self) -> type[serializers.Serializer[Any]]:
        return INPUTS[self.action]

    @extend_schema(responses={200: ExceptionDetailSerializer, 409: IMPOSSIBLE}, tags=TAGS)
    def post(self, request: Request, exception_id: int) -> Response:
        asking = asking_of(request)
        act, reason = read_act(self.action, request.data, asking)
        services.act_on_one(exception_id, act, actor=asking.actor, reason=reason, now=asking.now)
        return Response(ExceptionDetailSerializer(get_exception(exception_id, now=asking.now)).data)


class AcknowledgeView(ActView):
    action = "acknowledge"


class StartView(ActView):
    action = "start"


class ResolveView(ActView):
    action = "resolve"


class ReopenView(ActView):
    action = "reopen"


class AssignView(ActView):
    action = "assign"


class SnoozeView(ActView):
    action = "snooze"


class CommentView(ActView):
    action = "comment"


class TagView(ActView):
    action = "tag"


class UntagView(ActView):
    action = "untag"


class BulkView(APIView):
    required_scope = Scope.OPERATE

    @extend_schema(
        operation_id="exceptions_bulk",
        request=BulkSerializer,
        responses=BulkOutcomeSerializer,
        examples=[examples.BULK, examples.BULK_OUTCOME],
        tags=TAGS,
    )
    def post(self, request: Request) -> Response:
        """One action on the named exceptions, or on all that a filter finds; one that refuses does not stop the others."""
        asking = asking_of(request)
        body = BulkSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        act, reason = read_act(body.validated_data["action"], request.data, asking)
        if "ids" in body.validated_data:
            ids = set(body.validated_data["ids"])
            chosen = ExceptionRecord.objects.filter(pk__in=ids)
        else:
            ids = set()
            found = FilterSerializer(data=body.validated_data["filter"], context={"asking": asking})
            found.is_valid(raise_exception=True)
            chosen = filter_exceptions(found.to_filters())
        outcome = services.act_on_many(chosen, act, actor=asking.actor, reason=reason, now=asking.now)
        missing = ids - set(outcome.changed) - outcome.refused.keys()
        outcome.refused |= dict.fromkeys(missing, "There is no exception with this id.")
        return Response(outcome_json(outcome))


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    refusals = [{"id": pk, "detail": text} for pk, text in sorted(outcome.refused.items())[:100]]
    return {"changed": len(outcome.changed), "refused": len(outcome.refused), "refusals": refusals}
