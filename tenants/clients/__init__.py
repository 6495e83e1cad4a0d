"""Calls to the outside: shops, Slack, webhooks of one's own, e-mail. They touch no database.

Every call has a time limit, follows no redirect, and goes to the very address that was judged (`outgoing`).
"""

from tenants.clients.errors import Busy, CallError, PrivateAddress, Refused, Unsure
from tenants.clients.shop_reading import ShopClient

__all__ = ["Busy", "CallError", "PrivateAddress", "Refused", "ShopClient", "Unsure"]
