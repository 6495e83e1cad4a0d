"""/api/orders…"""

from django.urls import re_path

from orders.api.orders import OrdersView, OrderView
from orders.api.routes import both

urlpatterns = [
    *both("orders", OrdersView, "api-orders"),
    re_path(r"^orders/(?P<order_id>(?s:.)+)$", OrderView.as_view(), name="api-order"),
]
