"""`-m faults_long` runs the same faults, longer."""

import pytest

from tests.faults.extent import LONG, SHORT, Extent


def is_long(config: pytest.Config) -> bool:
    chosen = str(config.option.markexpr)
    return "faults_long" in chosen and "not faults_long" not in chosen


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if is_long(config):
        for item in items:
            if "faults" in item.keywords:
                item.add_marker("faults_long")
                item.add_marker(pytest.mark.timeout(1200))


@pytest.fixture
def extent(request: pytest.FixtureRequest) -> Extent:
    return LONG if is_long(request.config) else SHORT
