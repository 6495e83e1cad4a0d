"""Customers read their mail: one who is written to about an order may pay what is open, or mend the address."""

import re
from collections.abc import Iterable

from shopify_mock.courses import Course, answer_to_mail
from shopify_mock.goods import order_id_of
from shopify_mock.lives import Lives, Moment

CUSTOMER = re.compile(r"customer(?P<number>\d{1,9})\.\d{1,3}@example\.com")


def customers_read(lives: Lives, recipients: Iterable[str]) -> int:
    """How many of them will do something. An address of this shop's customers names the order that it was made for."""
    return sum(_reads(lives, recipient) for recipient in recipients)


def _reads(lives: Lives, recipient: str) -> bool:
    match = CUSTOMER.fullmatch(recipient)
    if match is None:
        return False

    def turn(moment: Moment) -> Course | None:
        if moment.found.order["email"] != recipient:
            return None
        return answer_to_mail(moment.found, moment.past, moment.ahead, at=moment.at, rng=moment.rng, pace=moment.pace)

    return lives.act(order_id_of(int(match["number"])), "customerReadMail", {}, turn) is not None
