"""Words of a policy's parts."""

from django import template

from tenants.policy_compare import day_words

register = template.Library()
register.filter("day_words", day_words)
