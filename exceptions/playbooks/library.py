"""Playbooks as they are kept: versions that are never edited, the newest in force."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from e2a.errors import Conflict, Unprocessable
from exceptions.choices import Reason
from exceptions.playbooks.catalogue import ACTION_KINDS
from exceptions.playbooks.defaults import Targets, default_playbooks
from exceptions.playbooks.errors import NoSuchPlaybook
from exceptions.playbooks.models import Playbook
from exceptions.playbooks.steps import Errors, StepsError, parse_steps, steps_to_json
from tenants.models import Tenant
from tenants.outgoing.models import Channel, OutgoingTarget

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
CHANNELS: Mapping[str, str] = {"slack": Channel.SLACK, "webhook": Channel.WEBHOOK, "email_team": Channel.EMAIL}


class WrongPlaybook(Unprocessable):
    """The playbook cannot be used; see the fields."""


class Overtaken(Conflict):
    """Somebody has changed this playbook meanwhile; look at the newest version. Nothing was changed."""


def save_playbook(
    *,
    tenant: Tenant,
    reason_code: str,
    name: str,
    steps: Any,
    enabled: bool,
    actor: str,
    now: datetime,
    note: str = "",
    based_on: int | None = None,
) -> Playbook:
    """A new version, in force from now on; what runs under an older one keeps it. `based_on`: the version that was edited.

    Raises: WrongPlaybook, Overtaken.
    """
    errors = head_troubles(reason_code, name)
    parsed: Sequence[Any] = ()
    try:
        parsed = parse_steps(steps)
        errors |= target_troubles(tenant, parsed)
    except StepsError as error:
        errors |= error.errors
    if errors:
        raise WrongPlaybook(errors=errors)
    last = newest(reason_code)
    version = last.version if last else 0
    if based_on is not None and based_on != version:
        raise Overtaken
    try:
        with transaction.atomic():
            return Playbook.objects.create(
                reason_code=reason_code,
                version=version + 1,
                name=name,
                enabled=enabled,
                steps=steps_to_json(parsed),
                note=note[:200],
                created_by=actor,
                created_at=now,
            )
    except IntegrityError:
        raise Overtaken from None


def switch_playbook(*, tenant: Tenant, reason_code: str, enabled: bool, actor: str, now: datetime) -> Playbook:
    """On or off, as a new version with the same steps. Raises: NoSuchPlaybook, Overtaken."""
    last = newest(reason_code)
    if last is None:
        raise NoSuchPlaybook
    if last.enabled == enabled:
        return last
    return save_playbook(
        tenant=tenant,
        reason_code=reason_code,
        name=last.name,
        steps=last.steps,
        enabled=enabled,
        actor=actor,
        now=now,
        note="Switched on" if enabled else "Switched off",
        based_on=last.version,
    )


def newest(reason_code: str) -> Playbook | None:
    if reason_code not in Reason.values:
        return None
    return Playbook.objects.filter(reason_code=reason_code).order_by("-version").first()


def head_troubles(reason_code: str, name: str) -> Errors:
    errors: Errors = {}
    if reason_code not in Reason.values:
        errors["reason_code"] = [f"Choose one of {', '.join(Reason.values)}."]
    if not NAME.fullmatch(name) or len(name) > 60:
        errors["name"] = ["Use small letters, digits and single hyphens, at most 60, such as address-check."]
    return errors


def target_troubles(tenant: Tenant, steps: Sequence[Any]) -> Errors:
    """Targets that the steps name and the tenant does not have."""
    known = set(OutgoingTarget.objects.filter(tenant=tenant).values_list("name", "channel"))
    return {
        f"steps.{place}.parameters.target": [
            f"There is no target “{step.parameters.get('target')}” for “{ACTION_KINDS[step.kind].title}”; set one up first."
        ]
        for place, step in enumerate(steps)
        if step.kind in CHANNELS and (step.parameters.get("target"), CHANNELS[step.kind]) not in known
    }


def install_defaults(*, tenant: Tenant, actor: str, now: datetime) -> list[str]:
    """For each reason that has no playbook yet. Returns their reasons; run again it changes nothing."""
    named = {channel: "" for channel in Channel.values}
    for target in OutgoingTarget.objects.filter(tenant=tenant, active=True).order_by("-pk"):
        named[target.channel] = target.name
    targets = Targets(slack=named[Channel.SLACK], team=named[Channel.EMAIL], webhook=named[Channel.WEBHOOK])
    have = set(Playbook.objects.values_list("reason_code", flat=True))
    made = []
    for reason, (name, steps) in default_playbooks(targets).items():
        if reason.value not in have:
            save_playbook(
                tenant=tenant,
                reason_code=reason.value,
                name=name,
                steps=steps,
                enabled=True,
                actor=actor,
                now=now,
                note="As a new tenant starts with",
            )
            made.append(reason.value)
    return made
