"""How each kind of action is done: its channel."""

from collections.abc import Mapping

from exceptions.playbooks.catalogue import ActionKind
from exceptions.playbooks.channels.calls import Channel
from exceptions.playbooks.channels.internal import Internal
from exceptions.playbooks.channels.messages import Messages
from exceptions.playbooks.channels.shopify import Shopify

_MESSAGES = Messages()
CHANNELS: Mapping[str, Channel] = {
    "shopify": Shopify(),
    "email": _MESSAGES,
    "slack": _MESSAGES,
    "webhook": _MESSAGES,
    "internal": Internal(),
}


def channel_of(action: ActionKind) -> Channel:
    return CHANNELS[action.channel]
