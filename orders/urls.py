"""Addresses of the pages on a tenant's host."""

from django.urls import include, path

from orders import letter_pages, source_pages
from orders.pages import acts, at_risk, detail, listing, simulation, simulator

urlpatterns = [
    path("policy/", include("orders.pages.policy.urls")),
    path("dead-letters/", letter_pages.dead_letters, name="dead-letters"),
    path("dead-letters/replay/", letter_pages.replay_filter, name="replay-filter"),
    path("dead-letters/replay/start/", letter_pages.replay_filter_start, name="replay-filter-start"),
    path("dead-letters/replays/<int:replay_id>/", letter_pages.letter_replay, name="letter-replay"),
    path("dead-letters/replays/<int:replay_id>/stop/", letter_pages.letter_replay_stop, name="letter-replay-stop"),
    path("dead-letters/<int:letter_id>/", letter_pages.dead_letter, name="dead-letter"),
    path("dead-letters/<int:letter_id>/body/", letter_pages.body_file, name="dead-letter-body"),
    path("dead-letters/<int:letter_id>/replay/", letter_pages.replay, name="dead-letter-replay"),
    path("dead-letters/<int:letter_id>/rehearse/", letter_pages.rehearse, name="dead-letter-rehearse"),
    path("dead-letters/<int:letter_id>/discard/", letter_pages.discard, name="dead-letter-discard"),
    path("dead-letters/<int:letter_id>/restore/", letter_pages.restore, name="dead-letter-restore"),
    path("dead-letters/<int:letter_id>/edit/", letter_pages.edit, name="dead-letter-edit"),
    path("dead-letters/<int:letter_id>/edit/check/", letter_pages.edit_check, name="dead-letter-edit-check"),
    path("dead-letters/<int:letter_id>/edit/replay/", letter_pages.edit_replay, name="dead-letter-edit-replay"),
    path("sources/", source_pages.sources, name="sources"),
    path("new-source/", source_pages.new_source, name="new-source"),
    path("sources/<str:name>/", source_pages.source, name="source"),
    path("sources/<str:name>/edit/", source_pages.edit, name="source-edit"),
    path("sources/<str:name>/rotate/", source_pages.rotate, name="source-rotate"),
    path("sources/<str:name>/end-old-secret/", source_pages.end_old, name="source-end-old"),
    path("sources/<str:name>/on/", source_pages.switch_on, name="source-on"),
    path("sources/<str:name>/off/", source_pages.switch_off, name="source-off"),
    path("sources/<str:name>/reconcile/", source_pages.reconcile, name="source-reconcile"),
    path("at-risk/", at_risk.at_risk, name="at-risk"),
    path("at-risk/at-risk.csv", at_risk.at_risk_csv, name="at-risk-csv"),
    path("policy/simulator/", simulator.simulator, name="simulator"),
    path("policy/simulator/start/<str:kind>/", simulator.start, name="simulator-start"),
    path("policy/simulator/<int:run_id>/", simulation.simulation, name="simulation"),
    path("policy/simulator/<int:run_id>/orders.csv", simulation.crossings_csv, name="simulation-csv"),
    path("policy/simulator/<int:run_id>/cancel/", simulation.cancel, name="simulation-cancel"),
    path("policy/simulator/<int:run_id>/put-in-force/", simulation.publish, name="simulation-publish"),
    path("orders/", listing.orders, name="orders"),
    path("orders/<int:order_pk>/", detail.order, name="order"),
    path("orders/<int:order_pk>/hold/", acts.hold, name="order-hold"),
    path("orders/<int:order_pk>/release/", acts.release, name="order-release"),
    path("orders/<int:order_pk>/events/<int:event_pk>/", detail.payload, name="event-payload"),
    path("orders/<int:order_pk>/events/<int:event_pk>/retract/", acts.retract, name="event-retract"),
]
