"""The one settings file. Everything that differs between machines comes from the environment; see docs/operations.md.

Each variable may also be given as NAME_FILE, a path whose content is the value. All that is missing or senseless is named at once.
"""

from pathlib import Path
from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import EnvValidationError, FileAwareEnv, validate

from dsrportal import configuration

BASE_DIR = Path(__file__).resolve().parent.parent
env = FileAwareEnv(eager=False)
for parser in (
    configuration.secret_key,
    configuration.credential_keys,
    configuration.allowed_hosts,
    configuration.upstream_hosts,
    configuration.channel_hosts,
    configuration.database,
    configuration.portal_url,
    configuration.ping_url,
    configuration.email,
    configuration.sender,
    configuration.redis_url,
    configuration.time_zone,
):
    env.add_parser(f"dsr_{parser.__name__}", parser)

DEBUG: bool = env.bool("DEBUG", False)
SECRET_KEY: str = env.dsr_secret_key("SECRET_KEY")
CREDENTIAL_KEYS: list[str] = env.dsr_credential_keys("CREDENTIAL_KEYS")
ALLOWED_HOSTS: list[str] = env.dsr_allowed_hosts("ALLOWED_HOSTS")
DATA_DIR: Path = Path(env.str("DATA_DIR", str(BASE_DIR / "var")))
_database: dict[str, Any] = env.dsr_database("DATABASE_URL", f"sqlite:///{DATA_DIR / 'portal.sqlite3'}")
REDIS_URL: str = env.dsr_redis_url("REDIS_URL", "")
PORTAL_URL: str = env.dsr_portal_url("PORTAL_URL", "http://localhost:8000")
WATCH_PING_URL: str = env.dsr_ping_url("WATCH_PING_URL", "")
RETENTION_CLOSED_DAYS: int = env.int("RETENTION_CLOSED_DAYS", 90, validate=validate.Range(min=0))
RETENTION_ARCHIVED_DAYS: int = env.int("RETENTION_ARCHIVED_DAYS", 30, validate=validate.Range(min=0))
FRESHNESS_MINUTES: int = env.int("FRESHNESS_MINUTES", 15, validate=validate.Range(min=1))
UPSTREAM_ALLOWED_HOSTS: list[str] = env.dsr_upstream_hosts("UPSTREAM_ALLOWED_HOSTS", "api.dastra.eu,account.dastra.eu")
CHANNEL_ALLOWED_HOSTS: list[str] = env.dsr_channel_hosts("CHANNEL_ALLOWED_HOSTS", "")
UPSTREAM_TIMEOUT_SECONDS: float = env.float("UPSTREAM_TIMEOUT_SECONDS", 10.0, validate=validate.Range(min=0.1, max=300))
UPSTREAM_LIMIT_PER_MINUTE: int = env.int("UPSTREAM_LIMIT_PER_MINUTE", 480, validate=validate.Range(min=1, max=500))
UNDO_SECONDS: int = env.int("UNDO_SECONDS", 8, validate=validate.Range(min=0, max=600))
DEFAULT_FROM_EMAIL: str = env.dsr_sender("DEFAULT_FROM_EMAIL", "DSR Portal <dsr-portal@localhost>")
_email: dict[str, Any] = env.dsr_email("EMAIL_URL", f"file://{DATA_DIR / 'mail'}")
TIME_ZONE: str = env.dsr_time_zone("TIME_ZONE", "Europe/Paris")
LOG_LEVEL: str = env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(["INFO", "WARNING", "ERROR"]))

try:
    env.seal()
except EnvValidationError as error:
    _messages = cast("dict[str, list[str]]", error.error_messages)
    _named = [f"  {name}: {' '.join(_messages[name])}" for name in sorted(_messages)]
    raise ImproperlyConfigured("The portal cannot start. Please set:\n" + "\n".join(_named)) from None
if SECRET_KEY in CREDENTIAL_KEYS:
    raise ImproperlyConfigured("The portal cannot start: SECRET_KEY and CREDENTIAL_KEYS must differ.")

globals().update(_email)

IS_SECURE = PORTAL_URL.startswith("https://")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "django_q",
    "csp",
    "dsrportal.apps.DsrPortalConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "dsrportal.middleware.SecurityHeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dsrportal.middleware.SignInMiddleware",
    "dsrportal.views.errors.NotAllowedMiddleware",
    "dsrportal.views.access.LastWorkspaceMiddleware",
    "dsrportal.views.sitting.SittingMiddleware",
]

ROOT_URLCONF = "dsrportal.urls"
WSGI_APPLICATION = "dsrportal.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dsrportal.views.frame.frame",
            ],
        },
    }
]

DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(DATA_DIR / "cache")}
    )
}

AUTH_USER_MODEL = "dsrportal.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 4 * 60 * 60
LOGIN_URL = "accounts.login"
LOGIN_REDIRECT_URL = "home.home"
LOGOUT_REDIRECT_URL = "accounts.login"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = IS_SECURE
SESSION_COOKIE_NAME = "__Host-sessionid" if IS_SECURE else "sessionid"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = IS_SECURE
CSRF_COOKIE_NAME = "__Host-csrftoken" if IS_SECURE else "csrftoken"
CSRF_TRUSTED_ORIGINS = [PORTAL_URL] if IS_SECURE else []
CSRF_FAILURE_VIEW = "dsrportal.views.errors.csrf_failure"
SECURE_SSL_REDIRECT = False  # a proxy ends TLS and redirects
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_SECURE else None
SECURE_HSTS_SECONDS = 31_536_000 if IS_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_SECURE
SECURE_HSTS_PRELOAD = IS_SECURE
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "manifest-src": ["'self'"],
    }
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French")), ("nl", _("Dutch"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = IS_SECURE
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FILES = 10
FILE_UPLOAD_HANDLERS = ["dsrportal.uploads.BoundedUploadHandler"]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_200

Q_CLUSTER = {
    "name": "dsr-portal",
    "orm": "default",
    "workers": 2,
    "queue_limit": 2,
    "bulk": 1,
    "timeout": 120,
    "retry": 300,
    "max_attempts": 3,
    "ack_failures": True,
    "catch_up": False,
    "recycle": 200,
    "max_rss": 300_000,
    "poll": 1,
    "save_limit": 100,
    "label": "Jobs",
    "log_level": "WARNING",
}

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"no_tokens": {"()": "dsrportal.redaction.NoTokens"}},
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # Libraries that would write query strings, and so what people looked for, stay silent below warnings.
    "loggers": {
        name: {"level": "WARNING"} for name in ("urllib3", "requests", "django.db.backends", "django_q", "django-q")
    }
    | {
        "django.request": {"filters": ["no_tokens"]},
        "django.server": {"filters": ["no_tokens"], "handlers": ["console"], "level": "INFO", "propagate": False},
    },
}
