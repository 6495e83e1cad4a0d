"""The prompts, each a file; its name is its version. A changed text is a new file, so that every score belongs to one text."""

from functools import cache
from pathlib import Path

CURRENT = "analyst-1"
FOLDER = Path(__file__).parent


@cache
def prompt_text(version: str = CURRENT) -> str:
    """Raises: FileNotFoundError for a version that is not there."""
    return (FOLDER / f"{version}.md").read_text(encoding="utf-8").strip()


def versions() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.md"))
