"""Loaded by pytest before Django's settings: the test servers and an environment of its own for each run."""

import os

from tests.servers import ensure_test_servers

database_url, redis_url = ensure_test_servers()
os.environ.update(
    APP_ENV="test",
    DJANGO_SETTINGS_MODULE="e2a.settings",
    DATABASE_URL=database_url,
    REDIS_URL=redis_url,
    SECRET_KEY="test-secret-key-0123456789-0123456789",
    JWT_SECRET="test-jwt-secret-0123456789-0123456789",
    E2A_FIELD_KEYS="MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    EMAIL_URL="memorymail://test",
)
os.environ.setdefault("E2A_TEST_DATABASE", f"test_e2a_{os.getpid()}")
