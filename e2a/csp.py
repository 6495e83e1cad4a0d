"""Content Security Policy: strict everywhere; the admin's own scripts need inline code and eval."""

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware as DjangoCSPMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase

LOOSER_PATHS = ("/admin/",)
LOOSER = {"script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


class CSPMiddleware(DjangoCSPMiddleware):  # type: ignore[misc]
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path_info.startswith(LOOSER_PATHS):
            response._csp_replace = LOOSER  # type: ignore[attr-defined]
        answer: HttpResponseBase = super().process_response(request, response)
        return answer
