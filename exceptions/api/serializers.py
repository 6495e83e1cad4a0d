"""What the exceptions' API takes and gives."""

from dataclasses import fields
from datetime import timedelta
from typing import Any

from rest_framework import serializers

from exceptions.analyst.feedback import LABELS
from exceptions.analyst.words import CAUSE_CHOICES
from exceptions.api.actions import ActionSerializer
from exceptions.api.analyses import AnalysisSerializer
from exceptions.api.asking import Asking, UnknownMember
from exceptions.choices import Kind, Reason, Resolution, ResolvedBy, Severity, Status, Verdict
from exceptions.models import ExceptionRecord, TimelineEntry
from exceptions.selectors import NOBODY, Detail, Filters
from exceptions.tags import NoTag, read_tag
from exceptions.transitions import FOR_PEOPLE, RESOLUTION_CHOICES
from orders.api.fields import TEXT_ERRORS, ChoicesField, InstantField, PageSerializer, WordsField
from orders.selectors import STAGE_NAMES

MOST_IDS = 10_000
ACTIONS = ["acknowledge", "start", "resolve", "reopen", "assign", "snooze", "comment", "tag", "untag"]
FILTERS = frozenset(field.name for field in fields(Filters))
NEWEST, BY_PRIORITY = SORTS = ("newest", "priority")
ONCE = (
    "cursor",
    "page_size",
    "sort",
    "order_id",
    "incident",
    "assignee",
    "opened_after",
    "opened_before",
    "search",
    "history",
    "tag",
    "snoozed",
    "older_than",
)


class FilterSerializer(serializers.Serializer[Any]):
    """Context: `asking`."""

    status = ChoicesField(Status.values)
    severity = ChoicesField(Severity.values)
    reason_code = ChoicesField(Reason.values)
    verdict = ChoicesField(Verdict.values, help_text="Without it: all but `none`.")
    merchant = WordsField()
    stage = ChoicesField(STAGE_NAMES)
    carrier = WordsField(help_text="Of the order.")
    warehouse = WordsField(help_text="Of the order.")
    order_id = serializers.CharField(required=False, allow_blank=True, max_length=128, error_messages=TEXT_ERRORS)
    incident = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        help_text="Those that belong to this incident now.",
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), "The number of an incident."),
    )
    assignee = serializers.CharField(
        required=False, allow_blank=True, max_length=254, help_text="A member's user name or e-mail, `me` or `nobody`."
    )
    opened_after = InstantField(required=False)
    opened_before = InstantField(required=False)
    older_than = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=10_000,
        help_text="Opened at least so many hours ago.",
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), "A whole number of hours, 1 to 10000."),
    )
    search = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=128,
        error_messages=TEXT_ERRORS,
        help_text="A part of the order's id or the merchant's name, or a tracking number.",
    )
    tag = serializers.CharField(
        required=False, allow_blank=True, max_length=64, error_messages=TEXT_ERRORS, help_text="With this tag."
    )
    history = serializers.BooleanField(
        required=False, allow_null=True, help_text="Only those born of history, or only the others."
    )

    snoozed = serializers.BooleanField(
        required=False, allow_null=True, help_text="Only those that sleep now, or only the others."
    )

    def validate_assignee(self, name: str) -> int | None:
        if name in ("nobody", "none"):
            return NOBODY
        asking: Asking = self.context["asking"]
        try:
            return asking.member(name).pk if name else None
        except UnknownMember as unknown:
            raise serializers.ValidationError(unknown.sentence) from None

    def validate_tag(self, text: str) -> str:
        return taken_tag(text) if text else ""

    def to_filters(self) -> Filters:
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in self.validated_data.items()
            if key in FILTERS
        }
        if hours := self.validated_data.get("older_than"):
            asking: Asking = self.context["asking"]
            before = asking.now - timedelta(hours=hours)
            given["opened_before"] = min(before, given.get("opened_before") or before)
        return Filters(**given)


class ExceptionQuerySerializer(FilterSerializer, PageSerializer):
    """The query of a list."""

    sort = serializers.ChoiceField(
        SORTS, required=False, default=NEWEST, help_text="`priority`: the highest first, then the newest."
    )


class ExceptionSerializer(serializers.ModelSerializer[Any]):
    """Context: `names`, {user id: user name} of the assignees."""

    order_id = serializers.CharField(source="order_ref")
    reason_code = serializers.ChoiceField(Reason.choices)
    status = serializers.ChoiceField(Status.choices)
    severity = serializers.ChoiceField(Severity.choices)
    verdict = serializers.ChoiceField(Verdict.choices)
    resolution = serializers.ChoiceField(Resolution.choices, allow_null=True)
    resolved_by = serializers.ChoiceField(ResolvedBy.choices, allow_null=True)
    overdue_seconds = serializers.SerializerMethodField(help_text="From its opening until its end or now.")
    assignee = serializers.SerializerMethodField(help_text="User name.")

    class Meta:
        model = ExceptionRecord
        fields = (
            "id",
            "order_id",
            "merchant",
            "reason_code",
            "status",
            "severity",
            "verdict",
            "resolution",
            "opened_at",
            "ended_at",
            "due_at",
            "stage",
            "overdue_seconds",
            "occurrence_count",
            "priority",
            "assignee",
            "snoozed_until",
            "tags",
            "acknowledged_at",
            "resolved_at",
            "resolved_by",
            "history",
            "resolution_attempts",
            "max_resolution_attempts",
            "resolution_blocked",
            "resolution_blocked_reason",
            "first_seen_at",
            "updated_at",
        )

    def get_overdue_seconds(self, record: Any) -> int | None:
        return None if record.overdue is None else int(record.overdue.total_seconds())

    def get_assignee(self, record: ExceptionRecord) -> str | None:
        if record.assignee_id is None:
            return None
        name: str = self.context["names"].get(record.assignee_id, str(record.assignee_id))
        return name


class ExceptionPageSerializer(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True, help_text="The address of the next page; null on the last.")
    results = ExceptionSerializer(many=True)


class TimelineEntrySerializer(serializers.ModelSerializer[TimelineEntry]):
    kind = serializers.ChoiceField(Kind.choices)
    actor = serializers.CharField(help_text="fold, radar, user:NAME or key:PREFIX.")
    detail = serializers.DictField()

    class Meta:
        model = TimelineEntry
        fields = ("at", "kind", "actor", "reason", "detail")


class ExceptionDetailSerializer(ExceptionSerializer):
    """All fields and the timeline, oldest first. `analysis` is null and `actions` empty until there are any."""

    priority_parts = serializers.DictField(
        child=serializers.IntegerField(), help_text="The points that its priority is the sum of."
    )
    occurrence_key = serializers.CharField()
    order_status = serializers.CharField()
    timeline = TimelineEntrySerializer(many=True)
    analysis = AnalysisSerializer(allow_null=True)
    actions = ActionSerializer(many=True)

    class Meta(ExceptionSerializer.Meta):
        fields = (  # type: ignore[assignment]
            *ExceptionSerializer.Meta.fields,
            "priority_parts",
            "occurrence_key",
            "order_status",
            "timeline",
            "analysis",
            "actions",
        )

    def to_representation(self, detail: Detail) -> dict[str, Any]:
        return {
            **ExceptionSerializer(detail.record, context={"names": detail.names}).data,
            "priority_parts": detail.record.priority_parts,
            "occurrence_key": detail.record.occurrence_key,
            "order_status": detail.record.order.status,
            "timeline": TimelineEntrySerializer(detail.timeline, many=True).data,
            "analysis": AnalysisSerializer(detail.analysis).data if detail.analysis else None,
            "actions": ActionSerializer(detail.actions, many=True).data,
        }


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=2000, help_text="Kept in the timeline."
    )


class ResolveSerializer(ReasonSerializer):
    resolution = serializers.ChoiceField(
        RESOLUTION_CHOICES,
        required=False,
        default=Resolution.MANUAL.value,
        error_messages={"invalid_choice": f"“{{input}}” is not a resolution: use {', '.join(FOR_PEOPLE)}."},
    )
    label = serializers.ChoiceField(  # type: ignore[assignment]
        CAUSE_CHOICES,
        required=False,
        allow_blank=True,
        default="",
        help_text="What it really was; the analyst is measured by it.",
        error_messages={"invalid_choice": f"“{{input}}” is not a cause: use {', '.join(sorted(LABELS))}."},
    )


class AssignSerializer(ReasonSerializer):
    """Without `assignee` the asking person takes it, if nobody has it."""

    assignee = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=254,
        help_text="A member's user name, e-mail or id, or `me`; null takes it off everybody.",
    )

    def validate_assignee(self, name: str | None) -> str | None:
        return None if name in (None, "nobody", "none") else name


class SnoozeSerializer(ReasonSerializer):
    until = InstantField(allow_null=True, help_text="Ahead of now, at most 90 days; null ends the snooze.")


class CommentSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(
        max_length=10_000,
        help_text="@ and a member's user name tells that member; a name that no member has is refused.",
        error_messages={"required": "Say something: `text` is missing."},
    )


class TagSerializer(serializers.Serializer[Any]):
    tag = serializers.CharField(
        max_length=64,
        help_text="Letters, digits and hyphens, at most 32; kept in small letters.",
        error_messages={"required": "Name the tag: `tag` is missing.", **TEXT_ERRORS},
    )

    def validate_tag(self, text: str) -> str:
        return taken_tag(text)


def taken_tag(text: str) -> str:
    """Raises: ValidationError."""
    try:
        return read_tag(text)
    except NoTag as wrong:
        raise serializers.ValidationError(wrong.sentence) from None


class BulkSerializer(serializers.Serializer[Any]):
    """Either `ids` or `filter` (the parameters of the list; `{}` is the whole list), and what the action itself takes."""

    action = serializers.ChoiceField(ACTIONS)
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), required=False, max_length=MOST_IDS
    )
    filter = serializers.DictField(required=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    resolution = serializers.CharField(required=False, max_length=24)
    label = serializers.CharField(required=False, max_length=24)  # type: ignore[assignment]
    assignee = serializers.CharField(required=False, allow_null=True, max_length=254)
    until = serializers.CharField(required=False, allow_null=True, max_length=64)
    text = serializers.CharField(required=False, max_length=10_000)
    tag = serializers.CharField(required=False, max_length=64)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in data) == ("filter" in data):
            raise serializers.ValidationError({"ids": ["Give either `ids` or `filter`."]})
        unknown = sorted(set(data.get("filter", ())) - set(FilterSerializer().fields))
        if unknown:
            known = ", ".join(FilterSerializer().fields)
            raise serializers.ValidationError({"filter": [f"“{unknown[0]}” is not a filter: use {known}."]})
        return data


class RefusalSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    detail = serializers.CharField()


class BulkOutcomeSerializer(serializers.Serializer[Any]):
    changed = serializers.IntegerField()
    refused = serializers.IntegerField()
    refusals = RefusalSerializer(many=True, help_text="The first hundred, with why.")
