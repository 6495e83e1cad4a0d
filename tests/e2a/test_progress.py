"""What long work shows while it goes: on a terminal one line, elsewhere a line now and then."""

import io

import pytest

from e2a import progress
from e2a.progress import Progress
from e2a.stack import progress as stack_progress
from e2a.stack.progress import Line, step


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds, moved by the test."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_on_a_terminal_one_line_is_written_over(clock: list[float]) -> None:
    out = Terminal()
    shown = Progress("storing", 200, out=out)
    shown.show(10)
    clock[0] += 1
    shown.show(50, "50 events")
    shown.show(200, "200 events", last=True)
    assert out.getvalue() == (
        "\r\x1b[Kstoring [#######.......................]  25% 50 events"
        "\r\x1b[Kstoring [##############################] 100% 200 events\n"
    )


def test_where_nobody_watches_a_line_comes_every_ten_seconds(clock: list[float]) -> None:
    out = io.StringIO()
    shown = Progress("storing", 0, out=out)
    for second in range(25):
        clock[0] = 1000 + second
        shown.show(second, f"{second} events")
    shown.show(25, "25 events", last=True)
    assert out.getvalue() == "storing  10 events\nstoring  20 events\nstoring  25 events\n"


def test_a_step_of_the_stack_says_how_it_ended(capsys: pytest.CaptureFixture[str]) -> None:
    with step("Making the database"):
        pass
    with pytest.raises(RuntimeError), step("Starting the servers"):
        raise RuntimeError
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Making the database … done (0.") and lines[1].startswith("Starting the servers … failed (0.")


def test_a_long_step_tells_its_seconds(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    monkeypatch.setattr(stack_progress.time, "monotonic", lambda: now[0])
    for terminal in (False, True):
        monkeypatch.setattr(stack_progress.sys.stdout, "isatty", lambda live=terminal: live)
        line = Line("Webhooks from the shop")
        now[0] += 11
        line.tell("120 of 900 taken")
        line.end("done")
    assert capsys.readouterr().out == (
        "Webhooks from the shop … 120 of 900 taken done (11.0 s)\n"
        "Webhooks from the shop …\r\x1b[KWebhooks from the shop … 120 of 900 taken 11 s\r\x1b[KWebhooks from the shop … done (11.0 s)\n"
    )
