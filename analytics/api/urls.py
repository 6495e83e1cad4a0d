"""/api/dashboard… and /api/admin/system-health."""

from analytics.api import health, views
from orders.api.routes import both

urlpatterns = [
    *both("dashboard/metrics", views.MetricsView, "api-dashboard-metrics"),
    *both("admin/system-health", health.SystemHealthView, "api-system-health"),
]
