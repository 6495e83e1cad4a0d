"""/api/dashboard…"""

from analytics.api import views
from orders.api.routes import both

urlpatterns = [
    *both("dashboard/metrics", views.MetricsView, "api-dashboard-metrics"),
]
