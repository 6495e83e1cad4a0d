"""Addresses of the policy's pages, below /policy/."""

from django.urls import path

from orders.pages.policy import calendars, days_off, draft, example, publishing, reading, weights

urlpatterns = [
    path("", reading.policy, name="policy"),
    path("versions/<int:number>/", reading.version, name="policy-version"),
    path("versions/<int:number>/restore/", reading.restore, name="policy-restore"),
    path("versions/<int:number>/withdraw/", reading.withdraw, name="policy-withdraw"),
    path("example/", example.example, name="policy-example"),
    path("holidays/", calendars.holidays, name="policy-holidays"),
    path("draft/", draft.draft, name="policy-draft"),
    path("draft/begin/", reading.begin, name="policy-begin"),
    path("draft/switch-off/<str:stage>/", reading.switch_off, name="policy-switch-off"),
    path("draft/discard/", draft.discard, name="policy-discard"),
    path("draft/publish/", publishing.publish, name="policy-publish"),
    path("draft/rules/new/", draft.new_rule, name="policy-rule-new"),
    path("draft/rules/<int:place>/", draft.edit_rule, name="policy-rule"),
    path("draft/rules/move/", draft.move_rule, name="policy-rule-move"),
    path("draft/rules/remove/", draft.remove_rule, name="policy-rule-remove"),
    path("draft/weights/", weights.weights, name="policy-weights"),
    path("draft/raises/new/", weights.new_raise, name="policy-raise-new"),
    path("draft/raises/<int:place>/", weights.edit_raise, name="policy-raise"),
    path("draft/raises/<int:place>/remove/", weights.remove_raise, name="policy-raise-remove"),
    path("draft/calendars/new/", calendars.new_calendar, name="policy-calendar-new"),
    path("draft/calendars/<int:place>/", calendars.edit_calendar, name="policy-calendar"),
    path("draft/calendars/<int:place>/remove/", calendars.remove_calendar, name="policy-calendar-remove"),
    path("draft/calendars/<int:place>/days/", days_off.days_off, name="policy-days"),
    path("draft/calendars/<int:place>/days/add/", days_off.add_day, name="policy-day-add"),
    path("draft/calendars/<int:place>/days/remove/", days_off.remove_day, name="policy-day-remove"),
    path("draft/calendars/<int:place>/import/", days_off.look_into_file, name="policy-import"),
    path("draft/calendars/<int:place>/import/take/", days_off.take_days, name="policy-import-take"),
]
