"""What a person chooses: read for a form or a round, and kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from e2a.errors import Unprocessable
from exceptions.choices import Severity
from exceptions.notifications.models import Preference
from exceptions.notifications.quiet import QuietHours, next_time
from exceptions.notifications.words import USUAL, USUAL_SEVERITY, Matter, Way, choice
from tenants.models import Tenant, zone_trouble
from tenants.outgoing.models import OutgoingTarget

DIGEST_AT = time(8, 0)
CHOICES = frozenset(choice(matter, way) for matter in Matter for way in Way)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """`chosen`: words.choice of what is on. Quiet hours are none when `quiet_from` is. `saved_at`: None for who never chose."""

    chosen: frozenset[str]
    least_severity: str
    timezone: str
    quiet_from: time | None = None
    quiet_until: time | None = None
    escalations_always: bool = False
    digest_at: time = DIGEST_AT
    slack_target: str = ""
    webhook_target: str = ""
    saved_at: datetime | None = None

    @property
    def quiet(self) -> QuietHours | None:
        if self.quiet_from is None or self.quiet_until is None:
            return None
        return QuietHours(self.timezone, self.quiet_from, self.quiet_until)

    def target_of(self, way: str) -> str:
        return {Way.SLACK.value: self.slack_target, Way.WEBHOOK.value: self.webhook_target}.get(way, "")


def chosen_of(user_id: int, tenant: Tenant) -> Chosen:
    return read_chosen(Preference.objects.filter(user_id=user_id).first(), tenant.timezone)


def read_chosen(row: Preference | None, zone: str) -> Chosen:
    """`zone`: the tenant's, for who has not chosen one."""
    if row is None:
        return Chosen(chosen=frozenset(USUAL), least_severity=USUAL_SEVERITY, timezone=zone)
    return Chosen(
        chosen=frozenset(row.chosen),
        least_severity=row.least_severity,
        timezone=row.timezone,
        quiet_from=row.quiet_from,
        quiet_until=row.quiet_until,
        escalations_always=row.escalations_always,
        digest_at=row.digest_at,
        slack_target=row.slack_target,
        webhook_target=row.webhook_target,
        saved_at=row.saved_at,
    )


def save_chosen(*, user_id: int, tenant: Tenant, chosen: Chosen, now: datetime) -> None:
    """Raises: Unprocessable with a sentence at each value that is not usable; nothing is kept then."""
    troubles = troubles_of(chosen, tenant)
    if troubles:
        raise Unprocessable(errors={name: [text] for name, text in troubles.items()})
    Preference.objects.update_or_create(
        user_id=user_id,
        defaults={
            "chosen": sorted(chosen.chosen),
            "least_severity": chosen.least_severity,
            "timezone": chosen.timezone,
            "quiet_from": chosen.quiet_from,
            "quiet_until": chosen.quiet_until,
            "escalations_always": chosen.escalations_always,
            "digest_at": chosen.digest_at,
            "slack_target": chosen.slack_target,
            "webhook_target": chosen.webhook_target,
            "digest_due_at": next_digest(chosen, now),
            "saved_at": now,
        },
    )


def next_digest(chosen: Chosen, now: datetime) -> datetime | None:
    """None when the person wants none."""
    wanted = any(pair.startswith(f"{Matter.DIGEST}:") for pair in chosen.chosen)
    return next_time(now, zone=chosen.timezone, at=chosen.digest_at) if wanted else None


def troubles_of(chosen: Chosen, tenant: Tenant) -> dict[str, str]:
    troubles = {
        "chosen": "" if chosen.chosen <= CHOICES else "This is no matter or way that there is.",
        "least_severity": "" if chosen.least_severity in ("", *Severity.values) else "This is no severity.",
        "timezone": zone_trouble(chosen.timezone),
        "quiet_until": quiet_trouble(chosen),
        "slack_target": target_trouble(chosen, Way.SLACK, tenant),
        "webhook_target": target_trouble(chosen, Way.WEBHOOK, tenant),
    }
    return {name: text for name, text in troubles.items() if text}


def quiet_trouble(chosen: Chosen) -> str:
    if (chosen.quiet_from is None) != (chosen.quiet_until is None):
        return "Give both the beginning and the end of the quiet hours, or neither."
    if chosen.quiet_from is not None and chosen.quiet_from == chosen.quiet_until:
        return "They begin when they end; for a whole day without messages take the ticks away."
    return ""


def target_trouble(chosen: Chosen, way: Way, tenant: Tenant) -> str:
    name = chosen.target_of(way)
    if name and name not in target_names(tenant, way):
        return f"There is no {way.label} target “{name[:32]}”; a manager can add one."
    if not name and any(pair.endswith(f":{way}") for pair in chosen.chosen):
        return f"Say where: choose a {way.label} target, or take the ticks under {way.label} away."
    return ""


def target_names(tenant: Tenant, way: Way) -> Sequence[str]:
    rows = OutgoingTarget.objects.filter(tenant=tenant, channel=way.value, active=True)
    return list(rows.values_list("name", flat=True))
