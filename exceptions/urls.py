"""Addresses of the pages on a tenant's host: exceptions, the scoreboard."""

from django.urls import include, path

from exceptions.pages import acts, analysis, bulk, detail, listing, scoreboard, tags, views, weights
from exceptions.pages.live import live

urlpatterns = [
    path("live", live, name="live"),
    path("", include("exceptions.playbooks.urls")),
    path("", include("exceptions.incidents.urls")),
    path("", include("exceptions.notifications.urls")),
    path("scoreboard/", scoreboard.scoreboard, name="scoreboard"),
    path("scoreboard/on/", scoreboard.switch_analyst, {"way": "on"}, name="switch-analyst-on"),
    path("scoreboard/off/", scoreboard.switch_analyst, {"way": "off"}, name="switch-analyst-off"),
    path("exceptions/<int:exception_id>/analysis/", analysis.analysis, name="exception-analysis"),
    path("exceptions/<int:exception_id>/analysis/say/", analysis.say_of_analysis, name="exception-analysis-say"),
    path(
        "exceptions/<int:exception_id>/analysis/again/",
        analysis.analyse_exception_again,
        name="exception-analysis-again",
    ),
    path("exceptions/", listing.exceptions, name="exceptions"),
    path("exceptions/views/", views.saved_views, name="exceptions-views"),
    path("exceptions/views/new/", views.new_view, name="exceptions-view-new"),
    path("exceptions/views/<int:view_id>/", views.change_view, name="exceptions-view"),
    path("exceptions/views/<int:view_id>/delete/", views.delete_view, name="exceptions-view-delete"),
    path("exceptions/bulk/<str:action>/ask/", bulk.ask, name="exceptions-bulk-ask"),
    path("exceptions/bulk/<int:run_id>/", bulk.run, name="exceptions-bulk"),
    path("exceptions/bulk/<int:run_id>/stop/", bulk.stop, name="exceptions-bulk-stop"),
    path("policy/draft/effect/", weights.effect, name="weights-effect"),
    path("exceptions/columns/", views.columns, name="exceptions-columns"),
    path("exceptions/<int:exception_id>/", detail.exception, name="exception"),
    path("exceptions/<int:exception_id>/acknowledge/", acts.acknowledge, name="exception-acknowledge"),
    path("exceptions/<int:exception_id>/start/", acts.start, name="exception-start"),
    path("exceptions/<int:exception_id>/take/", acts.take, name="exception-take"),
    path("exceptions/<int:exception_id>/assign/", acts.assign, name="exception-assign"),
    path("exceptions/<int:exception_id>/comment/", acts.comment, name="exception-comment"),
    path("exceptions/<int:exception_id>/tag/", tags.tag, name="exception-tag"),
    path("exceptions/<int:exception_id>/untag/", tags.untag, name="exception-untag"),
    path("exceptions/<int:exception_id>/snooze/", acts.snooze, name="exception-snooze"),
    path("exceptions/<int:exception_id>/wake/", acts.wake, name="exception-wake"),
    path("exceptions/<int:exception_id>/resolve/", acts.resolve, name="exception-resolve"),
    path("exceptions/<int:exception_id>/reopen/", acts.reopen, name="exception-reopen"),
]
