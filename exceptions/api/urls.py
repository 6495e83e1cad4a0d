"""/api/exceptions…"""

from exceptions.api import actions, analyses, playbooks, targets, times, views
from orders.api.routes import both

urlpatterns = [
    *both("exceptions", views.ExceptionsView, "api-exceptions"),
    *both("exceptions.csv", views.ExceptionsFileView, "api-exceptions-csv"),
    *both("exceptions.xlsx", views.ExceptionsWorkbookView, "api-exceptions-xlsx"),
    *both("exceptions/bulk", views.BulkView, "api-exceptions-bulk"),
    *both("exceptions/analyses/scoreboard", analyses.ScoreboardView, "api-scoreboard"),
    *both("exceptions/analyses/switch", analyses.SwitchView, "api-analyst-switch"),
    *both("exceptions/times", times.TimesView, "api-exception-times"),
    *both("exceptions/<int:exception_id>", views.ExceptionView, "api-exception"),
    *both("exceptions/<int:exception_id>/analysis/feedback", analyses.FeedbackView, "api-analysis-feedback"),
    *both("exceptions/<int:exception_id>/analysis/again", analyses.AgainView, "api-analysis-again"),
    *both("exceptions/<int:exception_id>/actions", actions.ActionsView, "api-exception-actions"),
    *both("exceptions/<int:exception_id>/dry-runs/<int:dry_run_id>", actions.DryRunView, "api-exception-dry-run"),
    *both("exceptions/<int:exception_id>/acknowledge", views.AcknowledgeView, "api-exception-acknowledge"),
    *both("exceptions/<int:exception_id>/start", views.StartView, "api-exception-start"),
    *both("exceptions/<int:exception_id>/resolve", views.ResolveView, "api-exception-resolve"),
    *both("exceptions/<int:exception_id>/reopen", views.ReopenView, "api-exception-reopen"),
    *both("exceptions/<int:exception_id>/assign", views.AssignView, "api-exception-assign"),
    *both("exceptions/<int:exception_id>/snooze", views.SnoozeView, "api-exception-snooze"),
    *both("exceptions/<int:exception_id>/comment", views.CommentView, "api-exception-comment"),
    *both("exceptions/<int:exception_id>/tag", views.TagView, "api-exception-tag"),
    *both("exceptions/<int:exception_id>/untag", views.UntagView, "api-exception-untag"),
    *both("approvals", actions.ApprovalsView, "api-approvals"),
    *both("playbooks", playbooks.PlaybooksView, "api-playbooks"),
    *both("playbooks/kinds", playbooks.KindsView, "api-playbook-kinds"),
    *both("playbooks/outcomes", playbooks.OutcomesView, "api-playbook-outcomes"),
    *both("playbooks/<str:reason_code>", playbooks.PlaybookView, "api-playbook"),
    *both("playbooks/<str:reason_code>/versions", playbooks.PlaybookVersionsView, "api-playbook-versions"),
    *both("targets", targets.TargetsView, "api-targets"),
    *both("targets/<str:name>", targets.TargetView, "api-target"),
    *both("targets/<str:name>/rotate", targets.RotateView, "api-target-rotate"),
    *both("deliveries", targets.DeliveriesView, "api-deliveries"),
    *both("deliveries/<int:delivery_id>/retry", targets.RetryView, "api-delivery-retry"),
]
