"""States of keys, invitations and e-mails as words."""

from django import template
from django.template import Context

from e2a.templatetags.page_parts import present
from tenants import selectors
from tenants.models import ApiKey, Invitation

register = template.Library()
register.filter("mail_state", selectors.mail_state)


@register.simple_tag(takes_context=True)
def key_state(context: Context, key: ApiKey) -> str:
    return selectors.key_state(key, present(context))


@register.simple_tag(takes_context=True)
def invitation_state(context: Context, invitation: Invitation) -> str:
    return selectors.invitation_state(invitation, present(context))
