"""`backfill` in a process of its own: its memory does not grow with the file."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.live import ROOT, database_url
from tests.orders.door_cast import event, rows

MOST_GROWTH_MIB = 15  # of some 25 MiB more to read


def peak_mib(path: Path) -> float:
    command = [sys.executable, "manage.py", "backfill", "acme", str(path)]
    environ = os.environ | {"DATABASE_URL": database_url()}
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024)


def file_of(path: Path, count: int) -> Path:
    with path.open("w") as file:
        for number in range(count):
            order = f"{count}-{number // 4}"
            file.write(json.dumps(event(f"{count}-{number}", order_id=order, payload={"n": "x" * 500})) + "\n")
    return path


def test_memory_does_not_grow_with_the_file(committed: None, tmp_path: Path) -> None:
    few, many = (peak_mib(file_of(tmp_path / f"{count}.ndjson", count)) for count in (10_000, 40_000))
    assert rows("SELECT count(*) FROM {s}.orders_event") == [(50_000,)]
    assert many - few < MOST_GROWTH_MIB
