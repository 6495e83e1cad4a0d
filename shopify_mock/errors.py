"""What can be wrong with what the mock is told. Each carries one sentence for whoever asked."""


class MockError(Exception):
    """The shop cannot do what was asked."""


class WrongSetting(MockError):
    """A value of the environment or of `POST /admin/settings` cannot be used."""


class WrongRequest(MockError):
    """A request to the shop cannot be understood."""
