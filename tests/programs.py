"""Programs that call the API with a key, as the outside does."""

from django.test import Client

from tenants.models import Tenant
from tenants.services import create_api_key


def program(slug: str, *scopes: str, merchant: str = "") -> Client:
    """A client with a key of that tenant and these scopes, on the platform's own host."""
    made = create_api_key(tenant=Tenant.objects.get(slug=slug), scopes=list(scopes), merchant=merchant)
    return Client(headers={"Authorization": f"Bearer {made.key}", "X-Tenant-Id": slug, "Host": "127.0.0.1"})
