"""Named points at which a test can have this process killed (`CRASH_AT=NAME`), as a power cut would."""

import os
import signal


def crash_point(name: str) -> None:
    if os.environ.get("CRASH_AT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
