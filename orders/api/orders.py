"""GET /api/orders and /api/orders/ORDER_ID."""

from collections.abc import Iterable
from typing import Any, cast

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orders.api.fields import single
from orders.api.serializers import OrderHistorySerializer, OrderPageSerializer, OrderQuerySerializer, OrderSerializer
from orders.explaining import explain_order
from orders.models import Order
from orders.selectors import NoSuchOrder, find_order, history_of, page_orders
from orders.wording import differences
from tenants.access import Access
from tenants.models import Scope

ONE_ORDER = OpenApiExample(
    "An order that is late",
    response_only=True,
    value={
        "order_id": "1001",
        "merchant": "default",
        "status": "PAID",
        "held": False,
        "contradiction": None,
        "began_at": "2026-11-23T10:00:00Z",
        "first_received_at": "2026-11-23T10:00:02Z",
        "last_received_at": "2026-11-23T10:20:01Z",
        "rule": "Express",
        "contract": "broken",
        "promise": "open",
        "promised_at": "2026-11-26T00:00:00Z",
        "carries": {
            "sales_channel": "web",
            "shipping_service": "express",
            "carrier": "",
            "warehouse": "LIS1",
            "destination_country": "PT",
            "customer_tier": "gold",
            "skus": ["SOCK-7"],
            "tags": [],
            "value_cents": 12990,
            "currency": "EUR",
            "fulfil_by": None,
            "window_from": None,
            "window_until": None,
        },
        "stages": [
            {
                "name": "inventory_check",
                "state": "RUNNING",
                "started_at": "2026-11-23T10:20:00Z",
                "ended_at": None,
                "due_at": "2026-11-23T10:35:00Z",
                "breached": True,
                "severity": "MEDIUM",
                "at_risk_at": "2026-11-23T10:31:15Z",
                "at_risk": False,
                "saved": False,
            }
        ],
        "exceptions": [
            {
                "id": 17,
                "reason_code": "INVENTORY_DELAY",
                "status": "OPEN",
                "severity": "MEDIUM",
                "verdict": "active",
                "resolution": None,
                "opened_at": "2026-11-23T10:35:00Z",
                "ended_at": None,
            }
        ],
        "difference": [],
        "events": [
            {
                "source": "wms",
                "event_id": "evt-1",
                "event_type": "order_created",
                "order_id": "1001",
                "occurred_at": "2026-11-23T10:00:00Z",
                "received_at": "2026-11-23T10:00:02Z",
                "effective_at": "2026-11-23T10:00:00Z",
                "payload": {},
                "tracking_number": "",
                "correlation_id": "0f0c8a1e",
                "history": False,
                "quarantined": False,
            }
        ],
        "parcels": [],
    },
)
LEFT_OUT = ("difference", "events", "parcels")  # a list says less of each
PAGE = OpenApiExample(
    "A page",
    response_only=True,
    value={
        "next": "https://acme.example.com/api/orders?cursor=MjAyNi0xMS0yM1QxMDoyMDowMXwx",
        "results": [{key: value for key, value in ONE_ORDER.value.items() if key not in LEFT_OUT}],
    },
)


class OrdersView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="orders_list",
        parameters=[OrderQuerySerializer],
        responses=OrderPageSerializer,
        examples=[PAGE],
        tags=["orders"],
    )
    def get(self, request: Request) -> Response:
        """Orders, latest receipt first, by cursor."""
        query = OrderQuerySerializer(data=single(request.query_params, ("cursor", "page_size", "held", "search")))
        query.is_valid(raise_exception=True)
        data = query.validated_data
        page = page_orders(query.to_filters(), cursor=data["cursor"], size=data["page_size"])
        orders = OrderSerializer(page.rows, many=True, context={"now": cast(Access, request.auth).now})
        return Response({"next": next_address(request, page.next), "results": orders.data})


class OrderView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="orders_retrieve",
        parameters=[
            OpenApiParameter(
                "order_id", str, OpenApiParameter.PATH, description="As its merchant knows it, URL-encoded."
            ),
            OpenApiParameter("merchant", str, description="Needed when several merchants have an order with this id."),
        ],
        responses=OrderHistorySerializer,
        examples=[ONE_ORDER],
        tags=["orders"],
    )
    def get(self, request: Request, order_id: str) -> Response:
        """An order with all five stages, its events in the order in which they took effect, parcels and exceptions."""
        return Response(order_json(request, order_id))


def order_json(request: Request, order_id: str) -> dict[str, Any]:
    """Raises: NoSuchOrder, AmbiguousOrder."""
    history = history_of(order_by(candidates(order_id), request.query_params.get("merchant", "")))
    explained = explain_order(cast(Access, request.auth).schema, history.order)
    context = {"now": explained.now, "difference": differences(explained.stages, explained.timezone)}
    return dict(OrderHistorySerializer(history, context=context).data)


def candidates(order_id: str) -> Iterable[str]:
    """An id may end in a slash of its own, and an address in one that means nothing: the id as it stands goes first."""
    return (order_id, order_id[:-1]) if order_id.endswith("/") and len(order_id) > 1 else (order_id,)


def order_by(order_ids: Iterable[str], merchant: str) -> Order:
    """Raises: NoSuchOrder, AmbiguousOrder."""
    for order_id in order_ids:
        try:
            return find_order(order_id, merchant=merchant)
        except NoSuchOrder:
            continue
    raise NoSuchOrder


def next_address(request: Request, cursor: str | None) -> str | None:
    """The address of the next page of the same list."""
    if cursor is None:
        return None
    query: Any = request.query_params.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
