"""`POST /admin/api/VERSION/graphql.json`: token, points, faults on demand, and the answer.

All that the shop understands is answered with HTTP 200, its refusals (`userErrors`) and its THROTTLED among it.
"""

import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    execute_sync,
    get_directive_values,
    parse,
    validate,
)

from shopify_mock.admin_api import Answer
from shopify_mock.desk import Desk
from shopify_mock.errors import WrongRequest
from shopify_mock.graphql import shapes
from shopify_mock.graphql.clerk import GID, Clerk, UserError
from shopify_mock.graphql.points import Points, cost_of, extensions

Json = dict[str, Any]
Info = GraphQLResolveInfo[Any]
SCHEMA = build_schema((Path(__file__).parent / "schema.graphql").read_text())


class Silence(Exception):
    """The call was done, and whoever asked never hears of it."""


class GraphQL:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.clerk = Clerk(desk)
        self._points = Points(most=desk.settings.graphql_points)
        self._mutations = 0

    def answer(self, body: bytes, token: str) -> Answer:
        """Raises: WrongRequest for what is no GraphQL request at all; Silence."""
        if not hmac.compare_digest(token.encode(), self.desk.config.access_token.encode()):
            return Answer(401, {"errors": "[API] Invalid API key or access token"})
        query, variables = read_request(body)
        try:
            document = parse(query)
        except GraphQLError as error:
            return Answer(200, {"errors": [error.formatted]})
        if wrong := validate(SCHEMA, document):
            return Answer(200, {"errors": [error.formatted for error in wrong]})
        settings, cost = self.desk.settings, cost_of(document)
        most, restore = settings.graphql_points, settings.graphql_restore_per_second
        passes, left = self._points.take(cost, most, restore)
        more = extensions(cost, spent=passes, left=left, most=most, restore=restore)
        if not passes:
            throttled = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
            return Answer(200, {"errors": [throttled], "extensions": more})
        if any(is_mutation(part) for part in document.definitions):
            return self._mutate(document, variables, more)
        return self._run(document, variables, more)

    def _mutate(self, document: DocumentNode, variables: Json, more: Json) -> Answer:
        """With the faults that were asked for, each call's own by its number."""
        self._mutations += 1
        settings, rng = self.desk.settings, Random(f"faults/{self.desk.config.seed}/{self._mutations}")
        fails, refuses, silent = (
            rng.random() < share for share in (settings.act_fail, settings.act_refuse, settings.act_silent)
        )
        time.sleep(settings.act_slow_seconds)
        if fails:
            return Answer(500, {"errors": "Internal Server Error"})
        answer = self._run(document, variables, more, refuses=refuses)
        if silent:
            raise Silence
        return answer

    def _run(self, document: DocumentNode, variables: Json, more: Json, *, refuses: bool = False) -> Answer:
        root = Root(self.clerk, refuses=refuses)
        result = execute_sync(SCHEMA, document, root_value=root, variable_values=variables)
        body: Json = {"data": result.data, "extensions": more}
        if result.errors:
            body["errors"] = [error.formatted for error in result.errors]
        return Answer(200, body)


def read_request(body: bytes) -> tuple[str, Json]:
    """Raises: WrongRequest."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise WrongRequest("The body is no JSON.") from None
    query = asked.get("query") if isinstance(asked, dict) else None
    variables = asked.get("variables") or {} if isinstance(asked, dict) else {}
    if not isinstance(query, str) or not isinstance(variables, dict):
        raise WrongRequest("Required parameter missing or invalid: query.")
    return query, variables


def is_mutation(part: object) -> bool:
    return isinstance(part, OperationDefinitionNode) and part.operation == OperationType.MUTATION


class Root:
    """The resolvers, named as the fields of Query and Mutation."""

    def __init__(self, clerk: Clerk, *, refuses: bool) -> None:
        self.clerk, self.refuses = clerk, refuses

    def order(self, info: Info, id: str) -> Json | None:
        return self._found(lambda: shapes.order_of(self.clerk.find(id, "Order")[1]))

    def fulfillmentOrder(self, info: Info, id: str) -> Json | None:
        return self._found(lambda: routed_of(self.clerk.find(id, "FulfillmentOrder")[1]))

    def job(self, info: Info, id: str) -> Json | None:
        done = self.clerk.job_done(id)
        return None if done is None else {"__typename": "Job", "id": id, "done": done}

    def node(self, info: Info, id: str) -> Json | None:
        match = GID.fullmatch(id)
        readers = {"Order": self.order, "FulfillmentOrder": self.fulfillmentOrder, "Job": self.job}
        return readers[match["kind"]](info, id) if match and match["kind"] in readers else None

    def _found(self, read: Callable[[], Json]) -> Json | None:
        try:
            return read()
        except UserError:
            return None

    def _done(self, act: Callable[[], Json], errors: str = "userErrors") -> Json:
        try:
            if self.refuses:
                raise UserError(("id",), "The shop was told to refuse this.", "REFUSED")
            return {**act(), errors: [], "userErrors": []}
        except UserError as error:
            told = {"field": list(error.field), "message": error.message, "code": error.code}
            return {"userErrors": [told], errors: [told]}

    def orderUpdate(self, info: Info, input: Json) -> Json:
        return self._done(lambda: {"order": shapes.order_of(self.clerk.update_order(input))})

    def tagsAdd(self, info: Info, id: str, tags: list[str]) -> Json:
        return self._done(lambda: {"node": shapes.order_of(self.clerk.add_tags(id, tags))})

    def fulfillmentOrderHold(self, info: Info, id: str, fulfillmentHold: Json) -> Json:
        def act() -> Json:
            routed = routed_of(self.clerk.hold(id, fulfillmentHold))
            return {"fulfillmentOrder": routed, "fulfillmentHold": routed["fulfillmentHolds"][-1]}

        return self._done(act)

    def fulfillmentOrderReleaseHold(
        self, info: Info, id: str, holdIds: list[str] | None = None, externalId: str | None = None
    ) -> Json:
        return self._done(lambda: {"fulfillmentOrder": routed_of(self.clerk.release(id, holdIds))})

    def fulfillmentOrderMove(self, info: Info, id: str, newLocationId: str) -> Json:
        return self._done(lambda: {"movedFulfillmentOrder": routed_of(self.clerk.move(id, newLocationId))})

    def fulfillmentOrderReschedule(self, info: Info, id: str, fulfillAt: str) -> Json:
        return self._done(lambda: {"fulfillmentOrder": routed_of(self.clerk.reschedule(id))})

    def fulfillmentTrackingInfoUpdate(
        self, info: Info, fulfillmentId: str, trackingInfoInput: Json, notifyCustomer: bool = False
    ) -> Json:
        def act() -> Json:
            found, parcel = self.clerk.update_tracking(fulfillmentId, trackingInfoInput, notifyCustomer)
            return {"fulfillment": shapes.fulfillment_of(found.order["fulfillments"][parcel])}

        return self._done(act)

    def orderCancel(self, info: Info, **given: Any) -> Json:
        def act() -> Json:
            return {"job": {"id": self.clerk.cancel(given["orderId"], given), "done": False}}

        return self._done(act, "orderCancelUserErrors")

    def refundCreate(self, info: Info, input: Json) -> Json:
        directive = SCHEMA.get_directive("idempotent")
        assert directive is not None
        given = get_directive_values(directive, info.field_nodes[0], info.variable_values)
        if not given:
            raise GraphQLError("The @idempotent directive is required for this mutation but was not provided.")

        def act() -> Json:
            found, place = self.clerk.refund(input, str(given["key"]))
            return {"order": shapes.order_of(found), "refund": shapes.refund_of(found.order["refunds"][place])}

        return self._done(act)


def routed_of(found: Any) -> Json:
    return shapes.fulfillment_order_of(found.fulfillment_orders[0])
