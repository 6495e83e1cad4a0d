"""The platform's admin, on the public host only. Every write goes through the services; the history tells who did what."""

from tenants.admin import companies, history, keys, people, policies, sources

__all__ = ["companies", "history", "keys", "people", "policies", "sources"]
