"""Addresses of the pages of incidents on a tenant's host."""

from django.urls import path

from exceptions.pages import incident_acts, incident_rules, incidents

urlpatterns = [
    path("incidents/", incidents.incidents, name="incidents"),
    path("incidents/rules/", incident_rules.incident_rules, name="incident-rules"),
    path("incidents/rules/new/", incident_rules.new_rule, name="incident-rule-new"),
    path("incidents/rules/<slug:name>/", incident_rules.edit_rule, name="incident-rule"),
    path("incidents/rules/<slug:name>/switch/", incident_rules.switch_rule, name="incident-rule-switch"),
    path("incidents/rules/<slug:name>/up/", incident_rules.move_rule_up, name="incident-rule-up"),
    path("incidents/rules/<slug:name>/remove/", incident_rules.remove_rule, name="incident-rule-remove"),
    path("incidents/<int:incident_id>/", incidents.incident, name="incident"),
    path("incidents/<int:incident_id>/comment/", incident_acts.comment, name="incident-comment"),
    path("incidents/<int:incident_id>/all/<slug:action>/", incident_acts.act_on_all, name="incident-all"),
    path("incidents/<int:incident_id>/out/<int:exception_id>/", incident_acts.take_out, name="incident-take-out"),
    path("incidents/<int:incident_id>/back/<int:exception_id>/", incident_acts.put_back, name="incident-put-back"),
    *(
        path(
            f"incidents/<int:incident_id>/{action}/",
            incident_acts.decide,
            {"action": action},
            name=f"incident-{action}",
        )
        for action in incident_acts.DECISIONS
    ),
]
