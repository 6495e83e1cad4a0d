"""Targets, pauses and the difference of both verdicts in words, for people who read a contract and not a table. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from orders.explanation import Explanation, Roll, Segment
from orders.pauses import NamedPause
from tenants.policy_words import PROBLEM_WORDS, PROMISE_WORDS, STAGE_WORDS
from tenants.targets import Length, Promise, Target, Warn

SEGMENT_WORDS = {
    "counted": "Counted",
    "closed": "Closed",
    "day_off": "Day off",
    "paused": "Paused",
    "rest": "The rest, in one",
}


def length_words(length: timedelta) -> str:
    """`3 h 20 min`; below a minute in seconds. Hours are not turned into days, which differ in length."""
    seconds = round(length.total_seconds())
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if not hours and not minutes:
        return f"{seconds} s"
    return " ".join(part for part, number in ((f"{hours} h", hours), (f"{minutes} min", minutes)) if number)


def moment_words(at: datetime, timezone: str) -> str:
    return f"{at.astimezone(ZoneInfo(timezone)):%a %d %b %Y %H:%M} ({timezone})"


def clock_words(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds % 3600 // 60:02}"


def target_words(target: Target | None, calendar: str) -> str:
    """`calendar`: the name of the one that counts, if any does."""
    if target is None:
        return "No deadline."
    if isinstance(target, Promise):
        said = f"Until {PROMISE_WORDS[target.key]}"
    elif isinstance(target, Length):
        length = length_words(timedelta(seconds=target.seconds))
        said = f"{length} of working time by the calendar “{calendar}”" if calendar else f"{length}, every hour counts"
    else:
        said = f"Until the end of the working day by the calendar “{calendar}”, if received by the cut-off"
        said += f", and {target.days} working days more" if target.days else ""
    return f"{said}{warn_words(target.warn)}."


def warn_words(warn: Warn | None) -> str:
    if warn is None:
        return ""
    if warn.share is not None:
        return f"; at risk after {warn.share:.0%} of it"
    return f"; at risk {length_words(timedelta(seconds=warn.before_seconds or 0))} before"


def roll_words(roll: Roll, timezone: str) -> str:
    when = moment_words(roll.received_at, timezone)
    closes = moment_words(roll.closes_at, timezone)
    if roll.in_time:
        return f"Received {when}, in time for that working day, which ends {closes}."
    return f"Received {when}, after the cut-off at {clock_words(roll.time)}: the next working day counts, which ends {closes}."


def pause_words(pause: NamedPause) -> str:
    what, who = reason_words(pause.reason), pause.actor.removeprefix("user:")
    return f"held by {who} ({what})" if pause.kind == "hold" else f"problem {what}, told by {who}"


def reason_words(reason: str) -> str:
    """A hold's reason as it was given; a problem's in words."""
    return PROBLEM_WORDS.get(reason, reason) or "no reason given"


def differences(explanations: Sequence[Explanation], timezone: str) -> list[str]:
    """Why contract and wall clock disagree, a sentence for each stage in which they do."""
    return [sentence for each in explanations if (sentence := difference(each, timezone))]


def difference(explained: Explanation, timezone: str) -> str:
    name = STAGE_WORDS[explained.stage]
    if explained.excluded:
        return f"{name}: the rule “{explained.rule}” excludes the order: {explained.excluded}"
    wall, due = explained.unpaused_due_at, explained.due_at
    if wall is None or wall == due:
        return ""
    pauses = [segment for segment in explained.segments if segment.kind == "paused"]
    reasons = ", ".join(dict.fromkeys(reason_words(segment.reason) for segment in pauses))
    if due is None:
        return f"{name}: paused ({reasons}), so the contract's clock stands; by the wall clock it is due {moment_words(wall, timezone)}."
    moved = length_words(sum((segment.length for segment in pauses), timedelta()))
    return (
        f"{name}: pauses ({reasons}) moved the contract's due time by {moved}, from {moment_words(wall, timezone)} "
        f"to {moment_words(due, timezone)}."
    )


def segment_words(segment: Segment) -> str:
    """`Day off: Christmas Day`; `Paused by maria: address in doubt`."""
    said = SEGMENT_WORDS[segment.kind]
    if segment.kind == "paused":
        said += f" by {segment.actor.removeprefix('user:')}" if segment.actor else ""
        return f"{said}: {reason_words(segment.reason)}"
    return f"{said}: {segment.reason}" if segment.reason else said


def span_words(since: datetime, until: datetime | None, timezone: str) -> str:
    """`Mon 23 Nov 09:00–12:00`; over midnight both days; of one instant, or while it is open, the beginning."""
    zone = ZoneInfo(timezone)
    begin = since.astimezone(zone)
    text = f"{begin:%a %d %b %H:%M}"
    if until is None:
        return text
    end = until.astimezone(zone)
    return f"{text}–{end:%H:%M}" if end.date() == begin.date() else f"{text} – {end:%a %d %b %H:%M}"
