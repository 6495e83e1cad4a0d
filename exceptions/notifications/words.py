"""What a person is told of, and the ways it can take. Pure."""

from collections.abc import Mapping

from django.db.models import TextChoices


class Matter(TextChoices):
    """The kinds of notifications."""

    ASSIGNED = "assigned", "Assigned to you"
    MENTIONED = "mentioned", "You are mentioned"
    ESCALATED = "escalated", "Escalated to you"
    BREACHED = "breached", "Deadline missed or problem found"
    OVER = "over", "Yours is over by itself"
    WOKEN = "woken", "Snooze ended"
    DIGEST = "digest", "Daily summary"


class Way(TextChoices):
    PAGE = "page", "On the page"
    EMAIL = "email", "E-mail"
    SLACK = "slack", "Slack"
    WEBHOOK = "webhook", "Webhook"


SENT_WAYS = (Way.EMAIL, Way.SLACK, Way.WEBHOOK)
HINTS: Mapping[str, str] = {
    Matter.ASSIGNED: "Somebody or a playbook gives you an exception.",
    Matter.MENTIONED: "Somebody writes @ and your name in a comment.",
    Matter.ESCALATED: "A step of the team's escalation chain reaches you.",
    Matter.BREACHED: "One of yours, and any other from the severity below.",
    Matter.OVER: "The order's events ended an exception of yours.",
    Matter.WOKEN: "An exception of yours that was snoozed is due again.",
    Matter.DIGEST: "Once a day, at the time below.",
}


def choice(matter: str, way: str) -> str:
    """How one cell of a person's table is kept."""
    return f"{matter}:{way}"


USUAL: tuple[str, ...] = (  # of a person who has not chosen
    *(choice(matter, Way.PAGE) for matter in Matter if matter != Matter.DIGEST),
    *(choice(matter, Way.EMAIL) for matter in (Matter.ASSIGNED, Matter.MENTIONED, Matter.ESCALATED)),
)
USUAL_SEVERITY = ""  # only one's own: on a bad day the others would drown the bell; chains escalate them
