"""The words of playbooks: modes of a step, states of an attempt and of a plan."""

from django.db.models import TextChoices


class Mode(TextChoices):
    OFF = "off", "Off"
    SUGGEST = "suggest", "Suggest"  # anybody who may operate runs it or skips it
    APPROVE = "approve", "Ask for approval"
    AUTOMATIC = "automatic", "Automatic"


class Approver(TextChoices):
    OPERATOR = "operator", "Operators and managers"
    MANAGER = "manager", "Managers"


class State(TextChoices):
    """Of an attempt. What was not yet sent can still be ended; what was sent has an outcome, or is looked up."""

    SUGGESTED = "suggested", "Suggested"
    AWAITING = "awaiting", "Waits for approval"
    PLANNED = "planned", "Planned"
    CLAIMED = "claimed", "Being prepared"
    SENT = "sent", "Sent, no answer yet"
    UNKNOWN = "unknown", "Outcome not known, being looked up"
    DELIVERING = "delivering", "Message on its way"
    EXPECTING = "expecting", "Waits for what it should lead to"
    FULFILLED = "fulfilled", "Led to what was expected"
    DONE = "done", "Done"
    MISSED = "missed", "Did not lead to what was expected"
    FAILED = "failed", "Failed"
    UNCERTAIN = "uncertain", "Outcome never known"
    REJECTED = "rejected", "Rejected"
    ENDED = "ended", "No longer needed"


class PlanState(TextChoices):
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    BLOCKED = "blocked", "Blocked"
    ENDED = "ended", "Ended"


UNSTARTED = (State.SUGGESTED, State.AWAITING, State.PLANNED)
UNDER_WAY = (State.CLAIMED, State.SENT, State.UNKNOWN, State.DELIVERING)
OPEN = (*UNSTARTED, *UNDER_WAY, State.EXPECTING)
OVER = (State.FULFILLED, State.DONE, State.MISSED, State.FAILED, State.UNCERTAIN, State.REJECTED, State.ENDED)
NOT_DONE = (State.FAILED, State.REJECTED, State.ENDED)  # certain to have changed nothing outside
EFFECTIVE = tuple(state for state in State if state not in NOT_DONE)  # did something, may have, or still may
