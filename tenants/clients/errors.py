"""What a call to the outside can meet.

CallError                the call did not do what it should
├── Busy                 nothing was done; a later try can help
├── Refused              the other side said no; a retry cannot help
│   └── PrivateAddress   the address lies inside a private network
└── Unsure               it may have been done: only a look can tell, so nothing that must not happen twice is repeated
"""


class CallError(Exception):
    """A call to the outside failed."""

    def __init__(self, sentence: str = "") -> None:
        self.sentence = sentence or (type(self).__doc__ or "")
        super().__init__(self.sentence)


class Busy(CallError):
    """The other side cannot be reached at the moment, or asks to wait; nothing was done."""

    def __init__(self, sentence: str = "", *, wait_seconds: float | None = None) -> None:
        self.wait_seconds = wait_seconds
        super().__init__(sentence)


class Refused(CallError):
    """The other side refused."""


class PrivateAddress(Refused):
    """The address lies inside a private network; it is not called."""


class Unsure(CallError):
    """The other side did not answer; whether it did what was asked is not known."""
