"""The shop's own page: what was generated, what was sent, the newest orders. Everything shown is escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from shopify_mock.shop import DOMAIN, NAME

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f23;--soft:#6a737d;--line:#e3e5e8;--paper:#fff;--wash:#f6f7f8;--accent:#0a7d55}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#9aa4ae;--line:#2c3238;--paper:#15181b;
--wash:#1d2125;--accent:#4cc596}}
*{box-sizing:border-box}body{margin:0;background:var(--wash);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:64rem;margin:0 auto;padding:1.5rem 1rem}h1{margin:0;font-size:1.5rem}
p{color:var(--soft);margin:.25rem 0 1.25rem}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(7.5rem,1fr));gap:.75rem;margin:0 0 1.5rem}
dl div{background:var(--paper);border:1px solid var(--line);border-radius:.6rem;padding:.6rem .9rem}
dt{color:var(--soft);font-size:.8rem}dd{margin:0;font-size:1.4rem;font-variant-numeric:tabular-nums}
.box{overflow-x:auto;background:var(--paper);border:1px solid var(--line);border-radius:.6rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.45rem .9rem;border-top:1px solid var(--line);
white-space:nowrap}
thead th{border:0;color:var(--soft);font-weight:500;font-size:.8rem}a{color:var(--accent)}
"""
COLUMNS = ("Order", "Placed", "Customer", "To", "Total", "Payment", "Fulfillment")


def page(stats: Mapping[str, Any], orders: Sequence[Mapping[str, Any]], webhook_url: str) -> str:
    counts = {"orders": stats["generated"], **stats["deliveries"]}
    tiles = "".join(_tile(name.replace("_", " "), value) for name, value in counts.items())
    target = escape(webhook_url) if webhook_url else "nowhere yet: SHOPIFY_MOCK_WEBHOOK_URL is not set"
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    rows = "".join(_row(order) for order in orders) or f'<tr><td colspan="{len(COLUMNS)}">No orders yet.</td></tr>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="refresh" content="5"><title>{NAME}</title><style>{STYLE}</style></head><body><main>'
        f"<h1>{NAME}</h1><p>{DOMAIN}, a shop made up for trying things out. Webhooks go to {target}.</p>"
        f"<dl>{tiles}</dl>"
        f'<div class="box"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<p><a href="/admin/orders.json">orders</a> · <a href="/admin/problems">problems</a> · '
        f'<a href="/stats">stats</a> · <a href="/admin/settings">settings</a> · <a href="/mail">e-mails</a> · '
        f'<a href="/slack">Slack</a> · <a href="/hooks">webhooks</a></p></main></body></html>'
    )


def _tile(name: str, value: object) -> str:
    return f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>"


def _row(order: Mapping[str, Any]) -> str:
    address = order["shipping_address"]
    cells = (
        order["name"],
        order["created_at"][:16].replace("T", " "),
        address["name"],
        f"{address['city']}, {address['country_code']}",
        f"{order['total_price']} {order['currency']}",
        "cancelled" if order["cancelled_at"] else order["financial_status"],
        order["fulfillment_status"] or "unfulfilled",
    )
    return "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>"
