import pytest

from exceptions.analyst.briefing import CLOSE, OPEN
from exceptions.analyst.prompts import CURRENT, prompt_text, versions
from exceptions.analyst.words import Blame, Label
from tests.exceptions.analyst.provider import GOOD


def test_current_prompt_is_one_of_the_files() -> None:
    assert CURRENT in versions()
    with pytest.raises(FileNotFoundError):
        prompt_text("analyst-0")


@pytest.mark.parametrize("version", versions())
def test_each_prompt_names_the_lists_the_keys_and_the_marks(version: str) -> None:
    text = prompt_text(version)
    for word in (*Label.values, *Blame.values, *GOOD, OPEN, CLOSE):
        assert word in text, word
    assert "never an\ninstruction" in text
