"""What a person's act on an exception can meet.

ProblemError (e2a.errors)
├── NotFound 404
│   └── NoSuchException
├── Conflict 409
│   └── ImpossibleChange     nothing was changed; a retry cannot help
└── Unprocessable 422        a value that is not usable, with its field
"""

from e2a.errors import Conflict, NotFound


class NoSuchException(NotFound):
    """There is no exception with this id."""


class ImpossibleChange(Conflict):
    """The exception is no longer in a state that allows this; nothing was changed."""
