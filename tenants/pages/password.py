"""A person's own password: changed by who knows it, or by a link sent to their address."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import authenticate, update_session_auth_hash
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlsafe_base64_decode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from e2a.errors import Conflict
from e2a.pages import dressed, refused
from tenants.gate import member_page
from tenants.models import Membership, User
from tenants.pages.members import tenant_of, who
from tenants.services.accounts import ask_for_reset, change_password

RULES = "At least 10 characters, not a common password, not your name or address."


class LinkGone(Conflict):
    """This link was used or has ended. Ask for a new one."""


def password_field(label: str) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
    return forms.CharField(strip=False, max_length=128, label=label, widget=widget, help_text=RULES)


class NewPasswordForm(forms.Form):
    password = password_field("New password")
    again = forms.CharField(
        strip=False,
        max_length=128,
        label="Once more",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        words = super().clean() or {}
        if {"password", "again"} <= words.keys() and words["password"] != words["again"]:
            self.add_error("again", "The two do not match; type the same twice.")
        return words


class ChangeForm(NewPasswordForm):
    field_order = ("current", "password", "again")
    current = forms.CharField(
        strip=False,
        max_length=128,
        label="Present password",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class AskForm(forms.Form):
    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "email"}))


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@member_page()
def change(request: HttpRequest) -> HttpResponse:
    """A wrong present password counts as a failed sign-in, so nobody guesses it at an unlocked screen."""
    form = ChangeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = who(request)
        if authenticate(request, username=user.get_username(), password=form.cleaned_data["current"]) != user:
            form.add_error("current", "This is not your present password.")
        elif set_password(form, user):
            update_session_auth_hash(request, user)
            messages.success(
                request, "Your password is changed. Wherever else you were signed in, you are not any more."
            )
            return HttpResponseRedirect("/")
    status = 422 if form.is_bound else 200
    return render(request, "tenants/password_change.html", {"form": dressed(form)}, status=status)


@never_cache
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Says the same whether there is such a member or not."""
    form = AskForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        ask_for_reset(tenant=tenant_of(request), email=form.cleaned_data["email"])
        return render(request, "tenants/reset_asked.html", {"email": form.cleaned_data["email"]})
    status = 422 if form.is_bound else 200
    return render(request, "tenants/reset_ask.html", {"form": dressed(form)}, status=status)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def reset(request: HttpRequest, user: str, token: str) -> HttpResponse:
    person = person_of(request, user)
    if person is None or not default_token_generator.check_token(person, token):
        return refused(request, LinkGone())
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and set_password(form, person):
        messages.success(request, "Your password is set. Sign in with it.")
        return HttpResponseRedirect(reverse("login"))
    status = 422 if form.is_bound else 200
    return render(request, "tenants/reset_set.html", {"form": dressed(form), "person": person}, status=status)


def set_password(form: NewPasswordForm, user: User) -> bool:
    """False when the password is too weak; the sentences then stand at its field."""
    try:
        change_password(user=user, password=form.cleaned_data["password"])
    except ValidationError as wrong:
        form.add_error("password", wrong.message_dict["password"])
        return False
    return True


def person_of(request: HttpRequest, encoded: str) -> User | None:
    """An active member of the host's tenant."""
    try:
        pk = int(urlsafe_base64_decode(encoded).decode())
    except ValueError:
        return None
    found = Membership.objects.select_related("user").filter(
        tenant=tenant_of(request), user_id=pk, user__is_active=True
    )
    membership = found.first() if 0 < pk < 2**63 else None
    return membership.user if membership else None
