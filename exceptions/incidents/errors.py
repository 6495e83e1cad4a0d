"""What a person's act on an incident can meet.

ProblemError (e2a.errors)
├── NotFound 404
│   └── NoSuchIncident
└── Conflict 409
    └── NotPossible     nothing was changed; a retry cannot help
"""

from e2a.errors import Conflict, NotFound


class NoSuchIncident(NotFound):
    """There is no incident with this id."""


class NotPossible(Conflict):
    """The incident is no longer in a state that allows this; nothing was changed."""
