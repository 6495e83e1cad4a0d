"""/api/orders…"""

from django.urls import re_path

from orders.api import letters
from orders.api.explanations import ExplanationView
from orders.api.orders import OrdersView, OrderView
from orders.api.routes import both

urlpatterns = [
    *both("orders", OrdersView, "api-orders"),
    *both("dead-letters", letters.LettersView, "api-dead-letters"),
    *both("dead-letters/<int:letter_id>", letters.LetterView, "api-dead-letter"),
    *both("dead-letters/<int:letter_id>/replay", letters.ReplayLetterView, "api-dead-letter-replay"),
    *both("dead-letters/<int:letter_id>/discard", letters.DiscardLetterView, "api-dead-letter-discard"),
    *both("dead-letters/<int:letter_id>/restore", letters.RestoreLetterView, "api-dead-letter-restore"),
    *both("dead-letters/replays/<int:replay_id>", letters.ReplayView, "api-dead-letter-progress"),
    *both("admin/replay-dlq", letters.ReplayManyView, "api-replay-dlq"),
    re_path(r"^orders/(?P<order_id>(?s:.)+)/explanation/?$", ExplanationView.as_view(), name="api-order-explanation"),
    re_path(r"^orders/(?P<order_id>(?s:.)+)$", OrderView.as_view(), name="api-order"),
]
