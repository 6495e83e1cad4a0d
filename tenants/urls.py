"""Addresses on a tenant's host."""

from django.urls import path

from tenants.pages import invitation, keys, members, password, signing

urlpatterns = [
    path("login/", signing.sign_in, name="login"),
    path("logout/", signing.sign_out, name="logout"),
    path("invitation/<str:token>/", invitation.invitation, name="invitation"),
    path("password/", password.change, name="password"),
    path("password/reset/", password.ask, name="password-reset"),
    path("password/reset/<str:user>/<str:token>/", password.reset, name="password-set"),
    path("members/", members.members, name="members"),
    path("members/invite/", members.invite, name="member-invite"),
    path("members/<int:member>/role/", members.set_role, name="member-role"),
    path("members/<int:member>/remove/", members.remove, name="member-remove"),
    path("members/invitations/<int:invitation>/resend/", members.resend, name="invitation-resend"),
    path("members/invitations/<int:invitation>/revoke/", members.revoke, name="invitation-revoke"),
    path("keys/", keys.keys, name="api-keys"),
    path("keys/new/", keys.new_key, name="key-new"),
    path("keys/<int:key>/revoke/", keys.revoke_key, name="key-revoke"),
]
