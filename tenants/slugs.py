"""The slug of a tenant, a merchant or a source, and the schema that belongs to a tenant's slug (CONTRACT 1)."""

import re

from django.core.exceptions import ValidationError

SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
VISIBLE = re.compile(r"[\x21-\x7e]+")
RESERVED = frozenset(
    {"public", "www", "admin", "api", "static", "ws", "postgres", "template", "information-schema", "localhost", "mail"}
)


def validate_tenant_slug(slug: str) -> None:
    """Raises: ValidationError with the rule that the slug breaks."""
    if not 3 <= len(slug) <= 40 or not SLUG.fullmatch(slug):
        raise ValidationError(
            "A tenant's name is 3 to 40 characters: small letters and digits, words joined by single hyphens, a letter first "
            "(such as demo-3pl)."
        )
    if slug in RESERVED or slug.startswith("pg-"):
        raise ValidationError(f"“{slug}” is reserved; choose another name.")


def is_tenant_slug(slug: str) -> bool:
    try:
        validate_tenant_slug(slug)
    except ValidationError:
        return False
    return True


def validate_slug(slug: str) -> None:
    """Raises: ValidationError. For merchants (64) and sources (16): their fields hold the length."""
    if not SLUG.fullmatch(slug):
        raise ValidationError(
            "Use small letters and digits, words joined by single hyphens, a letter first (such as north-shop)."
        )


def schema_of(slug: str) -> str:
    """`demo-3pl` lives in the schema `demo_3pl`. Injective, since a slug holds no underscore."""
    return slug.replace("-", "_")
