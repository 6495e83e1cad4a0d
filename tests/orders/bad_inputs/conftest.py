"""What each group of bad inputs uses."""

import pytest
from django.test import Client

from tenants.models import Tenant
from tests.orders.bad_inputs.cast import Trial
from tests.programs import program


@pytest.fixture
def trial(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Trial:
    return Trial(capsys, caplog)


@pytest.fixture
def sender(acme: Tenant, globex: Tenant) -> Client:
    """A program of acme that may send events."""
    return program("acme", "ingest")
