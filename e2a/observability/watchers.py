"""Those who watch a process from outside, as the environment names them: traces and crash reports; usually none."""

from django.conf import settings
from django.utils.module_loading import import_string


def start_watchers() -> None:
    """Once a process, after any fork, since what sends is a thread. Costs nothing, not even an import, where nobody watches."""
    for name in settings.WATCHERS:
        import_string(name)()
