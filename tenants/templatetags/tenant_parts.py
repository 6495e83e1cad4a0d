"""States of keys, invitations and e-mails as words."""

from django import template

from tenants.selectors import invitation_state, key_state, mail_state

register = template.Library()
register.filter("key_state", key_state)
register.filter("invitation_state", invitation_state)
register.filter("mail_state", mail_state)
