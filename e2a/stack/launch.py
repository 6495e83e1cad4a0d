"""`python -m e2a.stack.launch NAME`: becomes a process of the stack. Standard library only, so that it starts at once.

A process that was killed may leave children behind that hold its port; they are ended first.
"""

import json
import os
import sys
from pathlib import Path

from e2a.stack.home import Home
from e2a.stack.marks import MARK, end, mark_of


def main(name: str) -> None:
    home = Home(Path(os.environ["E2A_HOME"]))
    end(home.folder, name, patience=3)
    process = json.loads(home.commands.read_text())[name]
    environment = {**process["environment"], MARK: mark_of(home.folder, name)}
    os.chdir("/")  # the user that PostgreSQL's server runs as may not enter the home
    os.execvpe(process["command"][0], process["command"], environment)


if __name__ == "__main__":
    main(sys.argv[1])
