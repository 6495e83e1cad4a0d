"""Addresses of what a person is told: the inbox, its bell, what each person chooses, escalation, and times."""

from django.urls import path

from exceptions.pages import escalation, inbox, notification_settings, times

urlpatterns = [
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/settings/", notification_settings.notification_settings, name="notification-settings"),
    path("inbox/bell/", inbox.bell, name="bell"),
    path("inbox/people/", inbox.people, name="people"),
    path("inbox/read/", inbox.read_all, name="inbox-read-all"),
    path("inbox/<int:notification_id>/read/", inbox.read, name="inbox-read"),
    path("inbox/<int:notification_id>/open/", inbox.open_notification, name="inbox-open"),
    path("escalation/", escalation.escalation, name="escalation"),
    path("escalation/edit/", escalation.edit_escalation, name="edit-escalation"),
    path("times/", times.times, name="times"),
]
