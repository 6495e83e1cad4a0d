"""Encryption at rest: keys rotate, secrets are found by digest only."""

from typing import Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from e2a.encryption import check_keys, decrypt, encrypt, secret_digest
from tenants.models import Mail

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_what_an_old_key_made_is_read_after_a_rotation_and_not_after_its_removal(settings: Any) -> None:
    settings.E2A_FIELD_KEYS = [OLD]
    token = encrypt("a secret of ours, ü")
    settings.E2A_FIELD_KEYS = [NEW, OLD]
    assert decrypt(token) == "a secret of ours, ü"
    newer = encrypt("newer")
    settings.E2A_FIELD_KEYS = [NEW]
    assert decrypt(newer) == "newer"
    with pytest.raises(InvalidToken):
        decrypt(token)


def test_token_tells_nothing_and_is_never_the_same() -> None:
    assert "secret" not in encrypt("secret")
    assert encrypt("secret") != encrypt("secret")


def test_column_is_encrypted_in_the_database_only(db: None) -> None:
    mail = Mail.objects.create(recipient="a@example.com", subject="x", text="the link")
    assert Mail.objects.get().text == "the link"
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM public.tenants_mail")
        (kept,) = cursor.fetchone()
    assert "link" not in kept
    assert decrypt(kept) == "the link"
    mail.text = ""
    mail.save()
    assert Mail.objects.get().text == ""


def test_digest_needs_our_key(settings: Any) -> None:
    ours = secret_digest("x")
    assert (len(ours), ours) == (64, secret_digest("x"))
    settings.SECRET_KEY = "another-key-0123456789-0123456789"
    assert secret_digest("x") != ours


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ([], "E2A_FIELD_KEYS must list at least one Fernet key"),
        ([NEW, "short"], "E2A_FIELD_KEYS: key 2 must be a Fernet key"),
    ],
)
def test_wrong_keys_stop_the_start_without_being_quoted(keys: list[str], sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        check_keys(keys)
    assert str(refused.value).startswith(sentence)
    assert "short" not in str(refused.value)
