"""Every provider, one line each. Adding one: a file beside this, a payload in tests/payloads/, a line here, a choice in
`tenants.models.Provider`."""

from orders.providers.aftership import AfterShip
from orders.providers.delivery import Adapter
from orders.providers.easypost import EasyPost
from orders.providers.karrio import Karrio
from orders.providers.plain_json import PlainJson
from orders.providers.shipbob import ShipBob
from orders.providers.shiphero import ShipHero
from orders.providers.shopify import Shopify
from orders.providers.standard import Standard

ADAPTERS: dict[str, Adapter] = {
    "shopify": Shopify(),
    "easypost": EasyPost(),
    "aftership": AfterShip(),
    "karrio": Karrio(),
    "shipbob": ShipBob(),
    "standard": Standard(),
    "shiphero": ShipHero(),
    "json": PlainJson(),
}
