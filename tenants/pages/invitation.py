"""The link of an invitation: a person joins with their account, or makes one."""

from django import forms
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from e2a.errors import ProblemError
from e2a.pages import dressed, refused
from tenants.models import User
from tenants.pages.members import tenant_of
from tenants.pages.password import NewPasswordForm, password_field
from tenants.services.invitations import InvitationGone, Offer, accept_invitation, accept_with_new_account, find_offer

BACKEND = "django.contrib.auth.backends.ModelBackend"


class NewAccountForm(NewPasswordForm):
    field_order = ("username", "full_name", "password", "again")
    username = forms.CharField(
        max_length=150,
        label="Name to sign in with",
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
        help_text="Letters, digits and @ . + - _",
    )
    password = password_field("Password")
    full_name = forms.CharField(
        required=False, max_length=150, label="Your name", widget=forms.TextInput(attrs={"autocomplete": "name"})
    )


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Three cases: no account of the address yet (make one), signed in with it (join), anything else (sign in with it)."""
    try:
        offer = find_offer(token)
        if offer.invitation.tenant_id != tenant_of(request).pk:
            raise InvitationGone
        if offer.account is None:
            return with_new_account(request, token, offer)
        if request.user != offer.account:
            return render(request, "tenants/invitation_sign_in.html", {"offer": offer, "here": request.path})
        if request.method == "POST":
            accept_invitation(token=token, user=offer.account)
            return HttpResponseRedirect("/")
    except ProblemError as error:
        return refused(request, error)
    return render(request, "tenants/invitation_join.html", {"offer": offer})


def with_new_account(request: HttpRequest, token: str, offer: Offer) -> HttpResponse:
    """Raises: InvitationGone, OtherAccount."""
    suggestion = offer.invitation.email.partition("@")[0]
    form = NewAccountForm(request.POST or None, initial={"username": suggestion})
    if request.method == "POST" and form.is_valid():
        words = {name: form.cleaned_data[name] for name in ("username", "full_name", "password")}
        try:
            membership = accept_with_new_account(token=token, **words)
        except ValidationError as wrong:
            for field, texts in wrong.message_dict.items():
                form.add_error(field if field in form.fields else None, texts)
        else:
            assert isinstance(membership.user, User)
            login(request, membership.user, BACKEND)
            return HttpResponseRedirect("/")
    status = 422 if form.is_bound else 200
    return render(request, "tenants/invitation_new.html", {"form": dressed(form), "offer": offer}, status=status)
