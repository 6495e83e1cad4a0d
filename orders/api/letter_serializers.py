"""What the dead letters' API takes and gives."""

from base64 import b64encode
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from orders.api.fields import TEXT_ERRORS, ChoicesField, InstantField, PageSerializer, WordsField
from orders.letter_lists import LetterFilters
from orders.letter_replay import EFFECTS, OUTCOMES
from orders.models import DeadLetter, DeadLetterStatus, Entrance, LetterReplay, ReplayStatus

MOST_BODY = 8 * 1024 * 1024
MOST_IDS = 1_000


class LetterFilterSerializer(serializers.Serializer[Any]):
    """Which letters. Empty means any."""

    source = WordsField(help_text="Names of sources.")  # type: ignore[assignment]
    reason = WordsField(help_text="invalid, conflict, unmapped, poison …")
    received_after = InstantField(required=False)
    received_before = InstantField(required=False, help_text="Itself not included.")
    search = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        error_messages=TEXT_ERRORS,
        help_text="A part of an id, of a sentence or of the raw body.",
    )

    def to_filters(self, **more: Any) -> LetterFilters:
        data = self.validated_data
        return LetterFilters(
            source=tuple(data.get("source", ())),
            reason=tuple(data.get("reason", ())),
            received_after=data.get("received_after"),
            received_before=data.get("received_before"),
            search=data.get("search", ""),
            **more,
        )


class LetterQuerySerializer(PageSerializer, LetterFilterSerializer):
    status = ChoicesField(DeadLetterStatus.values, help_text="Default: waiting.")

    def to_filters(self, **more: Any) -> LetterFilters:
        chosen = self.validated_data.get("status")
        return super().to_filters(**({"status": tuple(chosen)} if chosen else {}), **more)


class LetterSerializer(serializers.ModelSerializer[DeadLetter]):
    entrance = serializers.ChoiceField(Entrance.choices)
    status = serializers.ChoiceField(DeadLetterStatus.choices)
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), help_text="Why it was refused: sentences by field."
    )
    order_id = serializers.CharField(source="order_ref")
    edited_from = serializers.IntegerField(source="edited_from_id", allow_null=True)

    class Meta:
        model = DeadLetter
        fields = (
            "id",
            "status",
            "source",
            "reason",
            "errors",
            "entrance",
            "topic",
            "event_id",
            "order_id",
            "received_at",
            "occurrences",
            "tries",
            "tried_at",
            "status_at",
            "status_by",
            "edited_from",
            "line_number",
            "correlation_id",
        )


class LetterDetailSerializer(LetterSerializer):
    body = serializers.SerializerMethodField(help_text="The raw body as text; null if it is no UTF-8.")
    body_base64 = serializers.SerializerMethodField(help_text="The raw bytes.")
    headers = serializers.DictField(child=serializers.CharField(), help_text="Those that a replay reads.")
    edits = serializers.SerializerMethodField(help_text="Ids of the edited copies that were replayed in its stead.")

    class Meta(LetterSerializer.Meta):
        fields = (*LetterSerializer.Meta.fields, "body", "body_base64", "headers", "edits")  # type: ignore[assignment]

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_body(self, letter: DeadLetter) -> str | None:
        try:
            return bytes(letter.body).decode()
        except UnicodeDecodeError:
            return None

    def get_body_base64(self, letter: DeadLetter) -> str:
        return b64encode(bytes(letter.body)).decode()

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_edits(self, letter: DeadLetter) -> list[int]:
        return list(letter.edits.order_by("pk").values_list("pk", flat=True))


class LetterPageSerializer(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True, help_text="The address of the next page; null on the last.")
    results = LetterSerializer(many=True)


class StrictSerializer(serializers.Serializer[Any]):
    """A key that is not known is refused: a misspelt `dry_run` must not replay."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(map(str, data)) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError({unknown[0][:64]: [f"This key is not known here: use {known}."]})
        return super().to_internal_value(data)


class ReplayOneSerializer(StrictSerializer):
    """Nothing at all replays the letter as it is; `body` and `headers` an edited copy in its stead."""

    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Say what would change; change nothing."
    )
    body = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, max_length=MOST_BODY, error_messages=TEXT_ERRORS
    )
    headers = serializers.DictField(child=serializers.CharField(max_length=256), required=False)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if "headers" in data and "body" not in data:
            raise serializers.ValidationError({"body": ["Give the body too: an edited copy is replayed as a whole."]})
        return data


class ReplayManySerializer(StrictSerializer, LetterFilterSerializer):
    """Waiting letters only. Without any filter it is all of them."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), required=False, max_length=MOST_IDS
    )
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Say what would change; change nothing."
    )


class ToldEventSerializer(serializers.Serializer[Any]):
    event_type = serializers.CharField()
    order_id = serializers.CharField()


class OutcomeSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="The letter's.")
    outcome = serializers.ChoiceField(OUTCOMES)
    events = ToldEventSerializer(many=True)
    errors = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))  # type: ignore[assignment]
    note = serializers.CharField(allow_blank=True)


class EffectSerializer(serializers.Serializer[Any]):
    order_id = serializers.CharField()
    merchant = serializers.CharField()
    reason = serializers.CharField()
    effect = serializers.ChoiceField(EFFECTS)


class ReplayOneOutcomeSerializer(OutcomeSerializer):
    dry_run = serializers.BooleanField()
    effects = EffectSerializer(many=True, help_text="What it did to exceptions, or would.")


class ReplaySerializer(serializers.ModelSerializer[LetterReplay]):
    """How far a replay is. `counts`: letters by outcome, and `exceptions_opened` …"""

    status = serializers.ChoiceField(ReplayStatus.choices)
    done = serializers.IntegerField(source="letters_done")
    counts = serializers.DictField(child=serializers.IntegerField())

    class Meta:
        model = LetterReplay
        fields = ("id", "status", "asked_at", "asked_by", "total", "done", "counts", "finished_at")


class ReplayManyOutcomeSerializer(serializers.Serializer[Any]):
    """Of a dry run `replay` is null and `letters` and `effects` say what would be, for the oldest thousand."""

    dry_run = serializers.BooleanField()
    matched = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    replay = ReplaySerializer(allow_null=True)
    letters = OutcomeSerializer(many=True)
    effects = EffectSerializer(many=True)
