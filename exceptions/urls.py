"""Addresses of the pages on a tenant's host: exceptions, the scoreboard."""

from django.urls import include, path

from exceptions.pages import analysis, scoreboard
from exceptions.pages.live import live

urlpatterns = [
    path("live", live, name="live"),
    path("", include("exceptions.playbooks.urls")),
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
]
