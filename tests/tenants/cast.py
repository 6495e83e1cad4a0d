"""People for the tests of who may do what."""

import time
from typing import Any

from django.test import Client

from tenants.middleware import BEGAN_AT, USED_AT
from tenants.models import Membership, Role, Tenant, User

PASSWORD = "correct horse 42"


def make_member(tenant: Tenant, name: str = "maria", role: str = Role.OPERATOR, **columns: Any) -> User:
    user = User.objects.filter(username=name).first()
    user = user or User.objects.create_user(name, f"{name}@example.com", PASSWORD, **columns)
    Membership.objects.create(tenant=tenant, user=user, role=role)
    return user


def on_host(slug: str, **headers: str) -> Client:
    return Client(headers={"Host": f"{slug}.localhost", **headers})


def signed_in(tenant: Tenant, user: User) -> Client:
    client = on_host(tenant.slug)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session[BEGAN_AT] = session[USED_AT] = time.time()  # as after a first request, which writes them
    session.save()
    return client
