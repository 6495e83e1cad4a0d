"""Every write of tenants, by subject: companies, keys, people, sources, policies (public schema)."""

from tenants.services.companies import create_tenant
from tenants.services.keys import NewKey, create_api_key, revoke_api_key

__all__ = ["NewKey", "create_api_key", "create_tenant", "revoke_api_key"]
