"""Signing in and out, on the tenant's host."""

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from e2a.pages import dressed


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "The name and the password do not fit together. Mind capital letters.",
        "inactive": "This account is switched off. Ask a manager of your team.",
    }


@sensitive_post_parameters("password")
@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """A new session id is given out; `next` leads only to a page of this host. Axes locks after repeated failures (429)."""
    target = safe_next(request)
    if request.user.is_authenticated and request.membership is not None:  # type: ignore[attr-defined]
        return HttpResponseRedirect(target)
    form = SignInForm(request, data=request.POST or None)
    if request.method == "POST" and form.is_valid():
        login(request, form.get_user())
        return HttpResponseRedirect(target)
    status = 422 if form.is_bound else 200
    return render(request, "tenants/login.html", {"form": dressed(form), "next": target}, status=status)


def sign_out(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    logout(request)
    return HttpResponseRedirect(reverse("login"))


def safe_next(request: HttpRequest) -> str:
    asked = request.POST.get("next") or request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if safe else settings.LOGIN_REDIRECT_URL
