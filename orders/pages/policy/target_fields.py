"""The fields of one stage's target. What they say becomes JSON, which the policy's own rules check; and back."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from orders.pages.policy.words_field import number_of, text_of, without_empty, words_of
from tenants.calendar_form import WEEKDAYS
from tenants.policy_words import PROMISE_WORDS, STAGE_WORDS

KINDS = (
    ("none", "No deadline"),
    ("length", "Every hour counts"),
    ("working", "Working time"),
    ("cutoff", "A cut-off"),
    ("promise", "The order's promise"),
)
WHOLE = 100  # percent
UNITS = (("hours", "hours"), ("minutes", "minutes"))
WARNINGS = (
    ("", "Nobody is warned"),
    ("share", "after a share of it, in %"),
    ("before_hours", "hours before"),
    ("before_minutes", "minutes before"),
)
PROMISES = tuple((key, words[0].upper() + words[1:]) for key, words in PROMISE_WORDS.items())
STARTS = {
    "payment_processing": "From the order to the payment.",
    "inventory_check": "From the payment until the goods are reserved.",
    "shipping_preparation": "From the reservation until it is packed.",
    "order_fulfillment": "From the order until the carrier has the last parcel.",
    "delivery": "From the order until the last parcel arrived.",
}
FIELD_OF_KEY = {
    "hours": "amount",
    "minutes": "amount",
    "working_hours": "amount",
    "working_minutes": "amount",
    "cutoff": "cutoff",
    "working_days": "days",
    "calendar": "calendar",
    "promise": "promise",
    "warn": "warn_amount",
}


class TargetFields(forms.Form):
    """Its prefix is the stage. Only the fields of the kind that is chosen count."""

    kind = forms.ChoiceField(label="Deadline", choices=KINDS, initial="none")
    amount = forms.CharField(label="Length", required=False, max_length=12)
    unit = forms.ChoiceField(choices=UNITS, required=False)
    cutoff = forms.CharField(
        label="Received by",
        required=False,
        max_length=120,
        help_text="Such as 14:00; or by weekday: mon 14:00, tue 14:00, sat 11:00.",
    )
    days = forms.CharField(
        label="Working days more", required=False, max_length=4, help_text="0: the day itself, or the next."
    )
    calendar = forms.ChoiceField(required=False)
    promise = forms.ChoiceField(choices=PROMISES, required=False)
    warn = forms.ChoiceField(label="At risk", choices=WARNINGS, required=False)
    warn_amount = forms.CharField(label="How much", required=False, max_length=12)
    opens = forms.BooleanField(label="Then open an exception", required=False)

    def __init__(self, *args: Any, calendars: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [("", "Of the order's warehouse"), *((name, name) for name in calendars)]
        self.fields["calendar"].choices = names  # type: ignore[attr-defined]
        self.label = STAGE_WORDS[self.prefix or ""]
        self.hint = STARTS[self.prefix or ""]

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = self.cleaned_data
        share = number_of(said.get("warn_amount", ""))
        if said.get("warn") == "share" and not (isinstance(share, int | float) and 0 < share < WHOLE):
            self.add_error("warn_amount", "It must be more than 0 and less than 100 %, such as 75.")
        return said

    def target(self) -> dict[str, Any] | None:
        """As JSON; None for no deadline."""
        said = self.cleaned_data
        if said["kind"] == "none":
            return None
        if said["kind"] == "promise":
            form: dict[str, Any] = {"promise": said["promise"]}
        elif said["kind"] == "cutoff":
            form = {"cutoff": cutoff_json(said["cutoff"]), "working_days": number_of(said["days"] or "0")}
        else:
            unit = said["unit"] or "hours"
            form = {f"working_{unit}" if said["kind"] == "working" else unit: number_of(said["amount"])}
        if said["kind"] in ("working", "cutoff") and said["calendar"]:
            form["calendar"] = said["calendar"]
        return form | ({"warn": warn_json(said)} if said["warn"] else {})


def warn_json(said: Mapping[str, Any]) -> dict[str, Any]:
    amount = number_of(said["warn_amount"])
    if said["warn"] == "share" and isinstance(amount, int | float):
        amount = round(amount / WHOLE, 10)
    return {said["warn"]: amount} | ({"open_exception": True} if said["opens"] else {})


def cutoff_json(text: str) -> Any:
    """`14:00`, or weekday → time. What cannot be read stays as it is, which is refused with a sentence."""
    parts = [part.lower().split() for part in words_of(text)]
    if parts and all(len(part) == 2 for part in parts):
        return {day[:3] if day[:3] in WEEKDAYS else day: clock(time) for day, time in parts}
    return clock(text.strip())


def clock(text: str) -> str:
    """`9:30` as `09:30`."""
    return f"0{text}" if len(text) == 4 and text[1:2] == ":" else text


def target_initial(target: Mapping[str, Any] | None) -> dict[str, Any]:
    if target is None:
        return {"kind": "none"}
    form: dict[str, Any] = {"calendar": target.get("calendar") or ""} | warn_initial(target.get("warn") or {})
    if "promise" in target:
        return form | {"kind": "promise", "promise": target["promise"]}
    if "cutoff" in target:
        return form | {
            "kind": "cutoff",
            "cutoff": cutoff_text(target["cutoff"]),
            "days": target.get("working_days") or 0,
        }
    unit = next(key for key in FIELD_OF_KEY if target.get(key) is not None)
    kind = "working" if unit.startswith("working") else "length"
    return form | {"kind": kind, "unit": unit.removeprefix("working_"), "amount": text_of(target[unit])}


def cutoff_text(cutoff: Any) -> str:
    if not isinstance(cutoff, Mapping):
        return str(cutoff)
    return ", ".join(f"{day} {cutoff[day]}" for day in WEEKDAYS if cutoff.get(day))


def warn_initial(warn: Mapping[str, Any]) -> dict[str, Any]:
    point = next((key for key, _ in WARNINGS if key and warn.get(key) is not None), "")
    amount = warn.get(point)
    if point == "share" and isinstance(amount, int | float):
        amount = round(amount * WHOLE, 4)
    return without_empty({"warn": point, "warn_amount": text_of(amount), "opens": bool(warn.get("open_exception"))})
