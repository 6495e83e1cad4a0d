"""The team: who is in it with which role, who is invited. For managers."""

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from e2a.errors import Unprocessable
from e2a.pages import done, dressed, show
from tenants.gate import member_page
from tenants.models import Invitation, Membership, Role, Scope, Tenant, User
from tenants.pages.listing import page_of
from tenants.selectors import members_of, open_invitations
from tenants.services.invitations import invite_member, resend_invitation, revoke_invitation
from tenants.services.members import change_role, remove_member

ROLES = (
    (Role.VIEWER, "Viewer: sees everything, changes nothing"),
    (Role.OPERATOR, "Operator: also acts on exceptions"),
    (Role.MANAGER, "Manager: also invites, makes keys and configures"),
)


class InviteForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address",
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "name@company.com"}),
        help_text="A link is sent there. It opens once, for seven days.",
    )
    role = forms.ChoiceField(choices=ROLES, initial=Role.VIEWER)


@require_GET
@member_page(Scope.ADMIN)
def members(request: HttpRequest) -> HttpResponse:
    return show(request, "tenants/members.html", "tenants/_members.html", context_of(request, InviteForm()))


@require_POST
@member_page(Scope.ADMIN)
def invite(request: HttpRequest) -> HttpResponse:
    form = InviteForm(request.POST)
    if form.is_valid():
        words = form.cleaned_data
        try:
            invite_member(tenant=tenant_of(request), email=words["email"], role=words["role"], invited_by=who(request))
        except ValidationError as wrong:
            for field, texts in wrong.message_dict.items():
                form.add_error(field if field in form.fields else None, texts)
        else:
            return done(request, f"An invitation goes to {words['email']}.", to=reverse("members"))
    return show(request, "tenants/members.html", "tenants/_invite.html", context_of(request, form), status=422)


@require_POST
@member_page(Scope.ADMIN)
def set_role(request: HttpRequest, member: int) -> HttpResponse:
    membership = find_member(request, member)
    try:
        changed = change_role(membership=membership, role=request.POST.get("role", ""))
    except ValidationError as wrong:
        raise Unprocessable(errors=wrong.message_dict) from None
    sentence = f"{changed.user.get_username()} is now {changed.get_role_display().lower()}."
    still_here = changed.user_id != request.user.pk or changed.role == Role.MANAGER
    return done(request, sentence, to=reverse("members") if still_here else "/", stay=still_here)


@require_POST
@member_page(Scope.ADMIN)
def remove(request: HttpRequest, member: int) -> HttpResponse:
    membership = find_member(request, member)
    remove_member(membership=membership)
    return done(request, f"{membership.user.get_username()} is no member any more.", to=reverse("members"))


@require_POST
@member_page(Scope.ADMIN)
def resend(request: HttpRequest, invitation: int) -> HttpResponse:
    row = find_invitation(request, invitation)
    resend_invitation(invitation=row)
    return done(request, f"A new link goes to {row.email}; the old one ends.", to=reverse("members"))


@require_POST
@member_page(Scope.ADMIN)
def revoke(request: HttpRequest, invitation: int) -> HttpResponse:
    row = find_invitation(request, invitation)
    revoke_invitation(invitation=row)
    return done(request, f"The invitation of {row.email} is taken back.", to=reverse("members"))


def context_of(request: HttpRequest, form: InviteForm) -> dict[str, object]:
    tenant = tenant_of(request)
    return {
        "form": dressed(form),
        "page": page_of(request, members_of(tenant)),
        "invitations": open_invitations(tenant),
        "roles": Role.choices,
    }


def find_member(request: HttpRequest, pk: int) -> Membership:
    """Of the host's tenant only. Raises: Http404."""
    return get_object_or_404(Membership.objects.select_related("user"), pk=pk, tenant=tenant_of(request))


def find_invitation(request: HttpRequest, pk: int) -> Invitation:
    """Of the host's tenant only. Raises: Http404."""
    return get_object_or_404(Invitation, pk=pk, tenant=tenant_of(request))


def tenant_of(request: HttpRequest) -> Tenant:
    tenant: Tenant = request.tenant  # type: ignore[attr-defined]
    return tenant


def who(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
