"""Public holidays are the same whatever machine names them."""

import os
import subprocess
import sys

import pytest

NAME = "from datetime import date; from tenants.days_off import public_holidays; print(public_holidays('PT', '', 2026)[date(2026, 12, 1)])"


@pytest.mark.parametrize("language", ["", "C", "en_US.UTF-8", "pt_PT.UTF-8", "de_DE.UTF-8"])
def test_names_do_not_follow_the_language_of_the_process(language: str) -> None:
    others = {name: value for name, value in os.environ.items() if name not in ("LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES")}
    environ = {**others, **({"LANG": language} if language else {})}
    said = subprocess.run([sys.executable, "-c", NAME], env=environ, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "Restoration of Independence Day"
