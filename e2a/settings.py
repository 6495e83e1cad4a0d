"""Settings of every process: web, api, worker, beat, radar and manage.py. The environment is CONTRACT 6."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF
from whitenoise.compress import Compressor

from e2a.encryption import check_keys
from e2a.env import Environment, broker_url, database_settings, email_settings, redis_database
from e2a.observability.logs import configure

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

APP_ENV = env.one_of("APP_ENV", "local", ("local", "test", "staging", "production"))
SERVICE_NAME = env.text("SERVICE_NAME", "e2a")
LOG_LEVEL = env.one_of("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOG_FORMAT = env.one_of("E2A_LOG_FORMAT", "json", ("json", "console"))
DEBUG = False
SECRET_KEY = env.secret("SECRET_KEY")
JWT_SECRET = env.secret("JWT_SECRET")
E2A_FIELD_KEYS = check_keys(env.words("E2A_FIELD_KEYS"))
E2A_BASE_DOMAIN = env.host("E2A_BASE_DOMAIN", "localhost")
E2A_WEB_PORT = env.whole("E2A_WEB_PORT", 8000, low=1, high=65535)
E2A_API_PORT = env.whole("E2A_API_PORT", 8001, low=1, high=65535)
TENANT_EVENTS_PER_SECOND = env.number("E2A_TENANT_EVENTS_PER_SECOND", 20_000, low=1)  # a process, as the next two
SOURCE_EVENTS_PER_SECOND = env.number("E2A_SOURCE_EVENTS_PER_SECOND", 10_000, low=1)
FORGED_PER_SECOND = env.number(
    "E2A_FORGED_PER_SECOND", 50, low=1
)  # requests of an address whose key or signature does not hold
BODY_SECONDS = env.number("E2A_BODY_SECONDS", 10, low=0.1, high=300)
E2A_PLATFORM_TOKEN = env.text("E2A_PLATFORM_TOKEN")
E2A_BEHIND_TLS = env.flag("E2A_BEHIND_TLS", APP_ENV in ("staging", "production"))
DATABASE_URL = env.url("DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/e2a", ("postgresql://", "postgres://"))
REDIS_URL = env.url("REDIS_URL", "redis://127.0.0.1:6379/0", ("redis://", "rediss://", "unix://"))
CACHE_URL = env.url("E2A_CACHE_URL", redis_database(REDIS_URL, 1), ("redis://", "rediss://", "unix://"))
DB_POOL_SIZE = env.whole("E2A_DB_POOL_SIZE", 0, high=200)

# The hosts a tenant answers at are rows (tenants.Domain), so the middleware that finds the tenant also refuses unknown hosts.
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "e2a.urls"
PUBLIC_SCHEMA_URLCONF = "e2a.public_urls"
ASGI_APPLICATION = "e2a.asgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SHARED_APPS = [
    "tenants",  # before django_tenants, whose create_tenant command is not ours
    "unfold",  # before django_tenants, which has admin templates too
    "django_tenants",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_htmx",
    "django_celery_beat",
    "django_prometheus",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pghistory",
    "pgtrigger",
    "channels",
    "e2a",
]
TENANT_APPS = ["orders", "exceptions", "analytics"]
INSTALLED_APPS = ["daphne", *SHARED_APPS, *TENANT_APPS]
TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
TENANT_LIMIT_SET_CALLS = True
AUTH_USER_MODEL = "tenants.User"
METRIC_COLLECTORS = ["e2a.observability.gauges.Servers", "analytics.gauges.Tenants"]
EXCEPTION_BOOK = "exceptions.book.Book"
SOURCE_HEALTH = "orders.source_health.source_health"
LIVE_VERSION = "exceptions.live.version"

MIDDLEWARE = [
    "e2a.observability.middleware.CorrelationMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tenants.middleware.TenantMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tenants.middleware.SessionAgeMiddleware",
    "tenants.middleware.MembershipMiddleware",
    "tenants.middleware.HistoryMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "e2a.csp.CSPMiddleware",
    "axes.middleware.AxesMiddleware",
]

DOOR_PATHS = ("/events", "/webhooks/")
DOOR_MIDDLEWARE = [  # of the API server at these paths (e2a/rsgi.py)
    "e2a.observability.middleware.CorrelationMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "tenants.middleware.TenantMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "tenants.navigation.navigation",
            ]
        },
    }
]

_database = database_settings(DATABASE_URL)
_options = dict(_database.pop("OPTIONS"))  # type: ignore[call-overload]
if DB_POOL_SIZE:
    # In web and api processes only: Celery closes Django's pool around each task, so there it only costs.
    _options["pool"] = {"min_size": 1, "max_size": DB_POOL_SIZE, "timeout": 4, "reconnect_timeout": 2}
DATABASES = {
    "default": {
        "ENGINE": "e2a.postgresql",
        **_database,
        "CONN_MAX_AGE": 0 if DB_POOL_SIZE else 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 4, "application_name": SERVICE_NAME, **_options},
        "TEST": {"NAME": env.text("E2A_TEST_DATABASE", "test_e2a")},
    }
}
ORIGINAL_BACKEND = "django.db.backends.postgresql"
DATABASE_ROUTERS = ("django_tenants.routers.TenantSyncRouter",)

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "KEY_FUNCTION": "django_tenants.cache.make_key",
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [{"address": redis_database(REDIS_URL, 2), "socket_timeout": 5, "socket_connect_timeout": 1}]
        },
    }
}

CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 2, "visibility_timeout": 600}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 500_000  # KiB
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_TIMEZONE = "UTC"

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "tenants.limits.lockout_response"
AXES_CLIENT_IP_CALLABLE = "tenants.limits.client_address"
E2A_PROXY_COUNT = env.whole("E2A_PROXY_COUNT", 0, high=5)  # how many of our own proxies wrote X-Forwarded-For
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
if APP_ENV == "test":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a slow hash only costs time there
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"
E2A_SOCKET_RECHECK_SECONDS = env.number("E2A_SOCKET_RECHECK_SECONDS", 20, low=0.1, high=55)
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 3600  # the longest time of a session, however much it is used
E2A_SESSION_IDLE_SECONDS = 2 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = E2A_BEHIND_TLS
if E2A_BEHIND_TLS:  # browsers then hold the cookies to this one host
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "e2a.pages.csrf_failure"

SECURE_SSL_REDIRECT = False  # the proxy in front does it; a webhook sender takes any 3xx as a failure
SECURE_HSTS_SECONDS = 31_536_000 if E2A_BEHIND_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = E2A_BEHIND_TLS
SECURE_HSTS_PRELOAD = E2A_BEHIND_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if E2A_BEHIND_TLS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF, "ws:", "wss:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    },
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("E2A_HOME", str(BASE_DIR / ".local"))) / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MANIFEST_STRICT = False
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")  # half of the time of collecting
if APP_ENV == "test":
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = APP_ENV == "test"
WHITENOISE_USE_FINDERS = APP_ENV == "test"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tenants.api.authentication.KeyAuthentication",
        "tenants.api.authentication.TokenAuthentication",
        "tenants.api.authentication.MemberAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.api.permissions.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["e2a.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "e2a.negotiation.JSONOnly",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "e2a.errors.problem_handler",
    "UNAUTHENTICATED_USER": None,
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(hours=12),
    "SIGNING_KEY": JWT_SECRET,
    "UPDATE_LAST_LOGIN": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "E²A API",
    "DESCRIPTION": "Exception to Action: events in, verdicts and exceptions out.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "ENUM_NAME_OVERRIDES": {
        "OrderStatusEnum": "orders.models.OrderStatus",
        "OrderOutcomeEnum": "orders.api.serializers.OUTCOMES",
        "LetterOutcomeEnum": "orders.api.letter_serializers.OUTCOMES",
        "ExceptionStatusEnum": "exceptions.choices.Status",
        "ResolutionEnum": "exceptions.choices.Resolution",
        "SeverityEnum": "exceptions.choices.Severity",
        "TimelineKindEnum": "exceptions.choices.Kind",
        "ActionKindEnum": "exceptions.playbooks.catalogue.KIND_CHOICES",
        "ActionStateEnum": "exceptions.playbooks.words.State",
        "IncidentStateEnum": "exceptions.incidents.words.IncidentState",
        "IncidentKindEnum": "exceptions.incidents.words.IncidentKind",
        "StageStateEnum": "orders.models.StageState",
        "DeliveryStateEnum": "exceptions.deliveries.models.DeliveryState",
        "LetterStatusEnum": "orders.models.DeadLetterStatus",
        "LetterReplayStatusEnum": "orders.models.ReplayStatus",
        "CauseEnum": "exceptions.analyst.words.CAUSE_CHOICES",
        "AnalysisLabelEnum": "exceptions.analyst.words.Label",
        "PersonsResolutionEnum": "exceptions.transitions.RESOLUTION_CHOICES",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "orders.api.documentation.add_door",
        "e2a.openapi.add_problems",
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
}

UNFOLD = {
    "SITE_TITLE": "E²A platform",
    "SITE_HEADER": "E²A",
    "SITE_SUBHEADER": "Platform admin",
    "SITE_SYMBOL": "hub",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "COMMAND": {"search_models": True},
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "e2a.admin_menu.navigation"},
}

LOGGING = configure(level=LOG_LEVEL, service=SERVICE_NAME, console=LOG_FORMAT == "console")
E2A_ALLOW_PRIVATE_OUTGOING = env.flag("E2A_ALLOW_PRIVATE_OUTGOING", APP_ENV in ("local", "test"))
AI_PROVIDER_BASE_URL = env.url("AI_PROVIDER_BASE_URL", "https://openrouter.ai/api/v1", ("https://", "http://"))
AI_MODEL = env.text("AI_MODEL")
AI_API_KEY = env.text("AI_API_KEY")
AI_MAX_DAILY_TOKENS = env.whole("AI_MAX_DAILY_TOKENS", 200_000)
E2A_AI_TENANT_SHARE = env.number("E2A_AI_TENANT_SHARE", 0.5, low=0, high=1)
AI_MODE = env.one_of("AI_MODE", "smart", ("smart", "full", "fallback"))
AI_TIMEOUT_SECONDS = env.number("AI_TIMEOUT_SECONDS", 3, low=0.1, high=60)
AI_MIN_CONFIDENCE = env.number("AI_MIN_CONFIDENCE", 0.55, low=0, high=1)
OTEL_EXPORTER_OTLP_ENDPOINT = env.url("OTEL_EXPORTER_OTLP_ENDPOINT", "", ("http://", "https://"))
NEW_RELIC_LICENSE_KEY = env.text("NEW_RELIC_LICENSE_KEY")
SENTRY_DSN = env.url("SENTRY_DSN", "", ("https://", "http://"))
TRACE_RATIO = env.number("E2A_TRACE_RATIO", 0.01, low=0, high=1)
WATCHERS = []
if OTEL_EXPORTER_OTLP_ENDPOINT or NEW_RELIC_LICENSE_KEY:
    WATCHERS.append("e2a.observability.tracing.start")
    for _each in (MIDDLEWARE, DOOR_MIDDLEWARE):
        _each.insert(1, "e2a.observability.tracing.TracingMiddleware")
if SENTRY_DSN:
    WATCHERS.append("e2a.observability.crashes.start")
EMAIL_URL = env.url(
    "EMAIL_URL", "consolemail://", ("smtp://", "smtps://", "smtp+tls://", "consolemail://", "memorymail://")
)
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD, EMAIL_USE_SSL, EMAIL_USE_TLS = (
    email_settings(EMAIL_URL)
)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"e2a@{E2A_BASE_DOMAIN}")

SILENCED_SYSTEM_CHECKS = ["security.W008", "axes.W003"]
