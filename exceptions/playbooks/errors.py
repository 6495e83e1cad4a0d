"""What a person's word on an action can meet.

ProblemError (e2a.errors)
├── NotFound 404
│   ├── NoSuchAttempt
│   └── NoSuchPlaybook
├── Forbidden 403
│   ├── NeedsPerson          a key cannot approve
│   └── NeedsManager
├── Conflict 409
│   └── NotNow               the action or the exception is no longer in a state that allows this; nothing was changed
└── Unprocessable 422
    └── WrongAction          a parameter that cannot be used, with its field
"""

from e2a.errors import Conflict, Forbidden, NotFound, Unprocessable


class NoSuchAttempt(NotFound):
    """There is no action with this id at this exception."""


class NoSuchPlaybook(NotFound):
    """There is no playbook for this reason."""


class NeedsPerson(Forbidden):
    """An approval is a person's word: sign in to give it."""


class NeedsManager(Forbidden):
    """This action needs a manager's word."""


class NotNow(Conflict):
    """This is not possible in the action's present state; nothing was changed."""


class WrongAction(Unprocessable):
    """The action cannot be done like this; see the fields."""
