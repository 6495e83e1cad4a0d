"""Tags of one exception: adding and removing, by POST only."""

from django.http import HttpRequest, HttpResponse

from exceptions import services
from exceptions.pages.acts import acted, posted
from exceptions.pages.asking import asking_of_page


@posted
def tag(request: HttpRequest, exception_id: int) -> HttpResponse:
    asking = asking_of_page(request)
    name = request.POST.get("tag", "")
    services.tag_exception(exception_id=exception_id, tag=name, actor=asking.actor, now=asking.now)
    return acted(request, exception_id, "Tagged.")


@posted
def untag(request: HttpRequest, exception_id: int) -> HttpResponse:
    asking = asking_of_page(request)
    name = request.POST.get("tag", "")
    services.untag_exception(exception_id=exception_id, tag=name, actor=asking.actor, now=asking.now)
    return acted(request, exception_id, "The tag is gone.")
