"""What axe-core finds on a page: the faults that keep people out. Vendored in tests/vendor/axe-core (MPL 2.0)."""

from pathlib import Path
from typing import Any

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
RUN = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
  .map(({id, impact, nodes}) => ({id, impact, nodes: nodes.map(({html, failureSummary}) => `${html} ${failureSummary}`)}))"""


def grave_faults(page: Any) -> list[str]:
    """One line for each rule that is broken gravely, with the first elements. Animations have ended by then."""
    page.evaluate("() => Promise.allSettled(document.getAnimations().map((each) => each.finished))")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(RUN)
    return [f"{each['id']}: {' | '.join(each['nodes'][:3])}" for each in found if each["impact"] in GRAVE]
