"""Accounts, memberships, invitations, and the e-mails that carry their links."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from e2a.postgresql.raw import database_now, raw_connection
from tenants.admin.service_admin import ReasonField, ServiceAdmin, ServiceForm
from tenants.models import Invitation, Mail, Membership, User
from tenants.selectors import invitation_state, mail_state
from tenants.services.invitations import invite_member, resend_invitation, revoke_invitation
from tenants.services.members import add_member, change_role, remove_member

admin.site.unregister(Group)  # rights are roles in tenants, or the platform's staff
ROLE_HELP = "Viewers read; operators also act on exceptions; managers also configure, invite and make keys."


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]
    """Accounts are shared by all tenants. They are switched off, never deleted: timelines name them. For superusers only."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "teams", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("username", "email", "first_name", "last_name")
    readonly_fields = ("last_login", "date_joined", "teams")
    filter_horizontal = ()
    fieldsets = (
        ("Who", {"fields": ("username", "password", "first_name", "last_name", "email")}),
        ("Where", {"fields": ("teams",), "description": "Roles are given by invitations and memberships."}),
        ("The platform", {"fields": ("is_active", "is_staff", "is_superuser", "last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "email", "password1", "password2")}),)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("memberships__tenant")

    @display(description="Member of")
    def teams(self, user: User) -> str:
        roles = (f"{row.tenant} ({row.get_role_display().lower()})" for row in user.memberships.all())
        return ", ".join(roles) or "no tenant"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser) or "autocomplete" in request.path

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MembershipForm(ServiceForm):
    reason = ReasonField()

    class Meta:
        model = Membership
        fields = ("tenant", "user", "role")
        help_texts = {"role": ROLE_HELP}

    def perform(self) -> Membership:
        words = {name: value for name, value in self.cleaned_data.items() if name != "reason"}
        if self.instance.pk:
            return change_role(membership=self.instance, role=words["role"])
        return add_member(**words)


@admin.register(Membership)
class MembershipAdmin(ServiceAdmin):
    form = MembershipForm
    list_display = ("user", "tenant", "role", "created_at")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter), "role")
    search_fields = ("user__username", "user__email", "tenant__name", "tenant__slug")
    list_select_related = ("user", "tenant")
    autocomplete_fields = ("tenant", "user")
    deletable = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("tenant", "user") if obj else ()

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        remove_member(membership=obj)


class InvitationForm(ServiceForm):
    reason = ReasonField()

    class Meta:
        model = Invitation
        fields = ("tenant", "email", "role")
        help_texts = {
            "email": "A link is sent there. It opens for seven days, once, for the account of this address.",
            "role": ROLE_HELP,
        }

    def perform(self) -> Invitation:
        words = {name: value for name, value in self.cleaned_data.items() if name != "reason"}
        return invite_member(**words, invited_by=None)


@admin.register(Invitation)
class InvitationAdmin(ServiceAdmin):
    form = InvitationForm
    list_display = ("email", "tenant", "role", "state", "mail_of", "expires_at")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter), "role")
    search_fields = ("email", "tenant__name", "tenant__slug")
    list_select_related = ("tenant", "mail")
    autocomplete_fields = ("tenant",)
    changeable = False
    actions_detail = ("resend", "revoke")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = ("tenant", "email", "role", "state", "mail_of", "expires_at", "accepted_at", "revoked_at")
        return ((None, {"fields": shown if obj else ("tenant", "email", "role", "reason")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("state", "mail_of") if obj else ()

    @display(description="State")
    def state(self, invitation: Invitation) -> str:
        return invitation_state(invitation, database_now(raw_connection()))

    @display(description="E-mail")
    def mail_of(self, invitation: Invitation) -> str:
        return mail_state(invitation.mail)

    @action(description="Send it again", url_path="resend")
    def resend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.one(request, object_id)
        if request.method == "POST":
            done = f"A new link goes to {row.email}; the old one opens nothing."
            return self.act(request, row, done, lambda: resend_invitation(invitation=row))
        sentence = f"A new link goes to {row.email} and opens for seven days; the old one ends."
        words = {"title": "Send the invitation again?", "sentence": sentence, "verb": "Send it", "harmless": True}
        return self.ask(request, row, back=self.back(row.pk).url, **words)

    @action(description="Take it back", url_path="revoke")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.one(request, object_id)
        if request.method == "POST":
            done = f"The invitation of {row.email} is taken back."
            return self.act(request, row, done, lambda: revoke_invitation(invitation=row))
        sentence = f"The link that was sent to {row.email} will open nothing."
        words = {"title": "Take the invitation back?", "sentence": sentence, "verb": "Take it back"}
        return self.ask(request, row, back=self.back(row.pk).url, **words)


@admin.register(Mail)
class MailAdmin(ServiceAdmin):
    """What went out, what waits, and what could not be delivered. The text is never shown: it may hold a link."""

    list_display = ("recipient", "subject", "state", "attempts", "created_at")
    search_fields = ("recipient", "subject")
    fields = ("recipient", "subject", "state", "attempts", "created_at", "sent_at", "due_at")
    readonly_fields = ("state", "created_at")
    addable = changeable = False

    @display(description="State")
    def state(self, mail: Mail) -> str:
        return mail_state(mail)
