"""/api/exceptions…"""

from exceptions.api import analyses, views
from orders.api.routes import both

urlpatterns = [
    *both("exceptions", views.ExceptionsView, "api-exceptions"),
    *both("exceptions.csv", views.ExceptionsFileView, "api-exceptions-csv"),
    *both("exceptions/bulk", views.BulkView, "api-exceptions-bulk"),
    *both("exceptions/analyses/scoreboard", analyses.ScoreboardView, "api-scoreboard"),
    *both("exceptions/analyses/switch", analyses.SwitchView, "api-analyst-switch"),
    *both("exceptions/<int:exception_id>", views.ExceptionView, "api-exception"),
    *both("exceptions/<int:exception_id>/analysis/feedback", analyses.FeedbackView, "api-analysis-feedback"),
    *both("exceptions/<int:exception_id>/analysis/again", analyses.AgainView, "api-analysis-again"),
    *both("exceptions/<int:exception_id>/acknowledge", views.AcknowledgeView, "api-exception-acknowledge"),
    *both("exceptions/<int:exception_id>/start", views.StartView, "api-exception-start"),
    *both("exceptions/<int:exception_id>/resolve", views.ResolveView, "api-exception-resolve"),
    *both("exceptions/<int:exception_id>/reopen", views.ReopenView, "api-exception-reopen"),
    *both("exceptions/<int:exception_id>/assign", views.AssignView, "api-exception-assign"),
    *both("exceptions/<int:exception_id>/snooze", views.SnoozeView, "api-exception-snooze"),
    *both("exceptions/<int:exception_id>/comment", views.CommentView, "api-exception-comment"),
]
