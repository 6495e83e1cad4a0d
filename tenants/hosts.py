"""Host names: which the platform keeps for itself, and which a tenant may answer at."""

import re

from django.conf import settings
from django.core.exceptions import ValidationError

HOST = re.compile(r"(?=.{4,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")


def is_public_host(host: str) -> bool:
    return host in ("127.0.0.1", "[::1]", "localhost", settings.E2A_BASE_DOMAIN, f"www.{settings.E2A_BASE_DOMAIN}")


def is_platform_host(host: str) -> bool:
    return is_public_host(host) or host.endswith("." + settings.E2A_BASE_DOMAIN)


def validate_host(host: str) -> None:
    """Raises: ValidationError with the rule that the host breaks."""
    if is_public_host(host):
        raise ValidationError(f"“{host}” is the platform's own host; choose another.")
    if not HOST.fullmatch(host) or host.rsplit(".", 1)[-1].isdigit():
        raise ValidationError(
            "A host is a name such as demo-3pl.example.com: small letters, digits, hyphens and dots, without http:// or a port."
        )


def address_of(host: str, path: str) -> str:
    """`path` begins with a slash. Behind TLS the proxy listens on the usual port; the local stack names its own."""
    return f"https://{host}{path}" if settings.E2A_BEHIND_TLS else f"http://{host}:{settings.E2A_WEB_PORT}{path}"
