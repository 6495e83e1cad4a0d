"""The AI analyst of this installation as one tenant sees it, and the latest analysis of an exception."""

from django.conf import settings

from e2a.errors import Conflict, NotFound
from exceptions.analyst.models import Analysis
from exceptions.analyst.prompts import CURRENT
from exceptions.analyst.switch import Standing, standing_of, switch


class NotAnalysed(NotFound):
    """There is no analysis of this exception yet, or no such exception."""


class NoAnalyst(Conflict):
    """No AI provider is set up on this installation, so there is nothing to switch."""


class StandsSo(Conflict):
    """It stands so already. Nothing was changed."""


def current_analyst() -> Standing | None:
    """None where no AI is set up."""
    if not settings.AI_API_KEY or not settings.AI_MODEL:
        return None
    return standing_of(model=settings.AI_MODEL[:100], prompt_version=CURRENT)


def switch_current(*, on: bool, actor: str, reason: str) -> Standing:
    """Raises: NoAnalyst, StandsSo."""
    standing = current_analyst()
    if standing is None:
        raise NoAnalyst
    if not switch(model=standing.model, prompt_version=standing.prompt_version, on=on, actor=actor, reason=reason):
        raise StandsSo
    return standing_of(model=standing.model, prompt_version=standing.prompt_version)


def latest_of(exception_id: int) -> Analysis:
    """Of its latest occurrence that was analysed. Raises: NotAnalysed."""
    found = find_latest(exception_id)
    if found is None:
        raise NotAnalysed
    return found


def find_latest(exception_id: int) -> Analysis | None:
    return Analysis.objects.filter(exception_id=exception_id).order_by("-occurrence").first()
