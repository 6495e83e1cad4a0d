"""/exceptions/ID/: what is wrong with an order, since when, and who or what did something about it."""

from django.http import HttpRequest, HttpResponse

from e2a.pages import show
from exceptions.escalation.outlook import outlook_of
from exceptions.incidents.selectors import incident_of
from exceptions.pages.analysis import analysis_context
from exceptions.pages.asking import asking_of_page
from exceptions.pages.incidents import shown
from exceptions.pages.listing import can_act, name_assignees
from exceptions.pages.telling import tell
from exceptions.selectors import exceptions_of_order, get_exception, tags_in_use
from tenants.access import Access
from tenants.gate import member_page
from tenants.models import Scope


@member_page(Scope.READ)
def exception(request: HttpRequest, exception_id: int) -> HttpResponse:
    access: Access = request.access  # type: ignore[attr-defined]
    asking = asking_of_page(request)
    found = get_exception(exception_id, now=asking.now)
    name_assignees([found.record])
    others = [each for each in exceptions_of_order(found.record.order_id, now=asking.now) if each.pk != exception_id]
    context = {
        "record": found.record,
        "order": found.record.order,
        "timeline": [tell(entry) for entry in found.timeline],
        "others": others,
        "outlook": outlook_of(found.record, now=asking.now),
        "incident": shown(incident) if (incident := incident_of(exception_id)) else None,
        "tags_in_use": tags_in_use() if can_act(request) else [],
        "can_act": can_act(request),
        **analysis_context(exception_id, access),
    }
    return show(request, "exceptions/detail.html", "exceptions/_detail.html", context)
