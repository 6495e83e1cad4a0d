"""When a message that did not go out is tried again. Pure."""

from collections.abc import Mapping, Sequence

from tenants.outgoing.models import Channel

MINUTE, HOUR = 60, 3600
WAITS: Mapping[str, Sequence[int]] = {  # seconds after each try; after the last wait's try it is given up
    Channel.WEBHOOK: (5, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR),
    Channel.EMAIL: (10, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR),
    Channel.SLACK: (5, 30, 2 * MINUTE, 10 * MINUTE, HOUR),
}
JITTER = 0.2
REPEATABLE = (Channel.WEBHOOK,)  # its receiver tells a repetition by the id


def wait_after(channel: str, tries: int, *, wish: float | None, chance: float) -> float | None:
    """Seconds until the next try after so many; None: there is none. `wish`: what the other side asked for.

    `chance` from 0 to 1 spreads tries of the same moment, so that a receiver that comes back is not run over.
    """
    waits = WAITS[channel]
    if tries > len(waits):
        return None
    plain = waits[tries - 1] * (1 + JITTER * (2 * chance - 1))
    return max(plain, wish or 0.0)
