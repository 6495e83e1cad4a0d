"""A view names the scope it needs in `required_scope`; without one it is closed."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from e2a.errors import Forbidden, Unauthorized
from tenants.access import Access


class HasScope(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises: Unauthorized for nobody, Forbidden for somebody who lacks the scope."""
        access = request.auth
        if not isinstance(access, Access):
            raise Unauthorized
        scope = getattr(view, "required_scope", None)
        if scope is None:
            raise Forbidden
        access.require(scope)
        return True
