"""Settings of the example shop: a small real shop on Django and Wagtail that uses all three apps.

Everything it writes (database, uploads, mail) is kept in ``var/`` beside the checkout, or in ``$EXAMPLE_SITE_VAR``.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import django

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("EXAMPLE_SITE_VAR", ROOT / "var"))

# A demo runs on the newcomer's own machine; the key signs nothing of value there.
SECRET_KEY = os.environ.get("SECRET_KEY", "example-shop-only-not-for-any-real-site-0123456789abcdef")
DEBUG = os.environ.get("DEBUG", "1") == "1"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
PORT = os.environ.get("PORT", "8000")

INSTALLED_APPS = [
    "example_site.shop",
    "thankyou_flows",
    "thankyou_flows.pages",
    "wishlists",
    "coupons",
    "djmoney",
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.contrib.settings",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_tasks_db",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "wishlists.middleware.ListsMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
]

ROOT_URLCONF = "example_site.urls"
WSGI_APPLICATION = "example_site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # The package's own templates/ is listed here because an editable install does not copy it into the apps.
        "DIRS": [ROOT / "example_site" / "templates", ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def database(url: str) -> dict[str, object]:
    """Return Django's settings for a ``postgres://user:password@host:port/name`` address."""
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": parts.port or "",
    }


if os.environ.get("DATABASE_URL", "").startswith(("postgres://", "postgresql://")):
    DATABASES = {"default": database(os.environ["DATABASE_URL"])}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": VAR / "db.sqlite3",
            # A shop writes while it reads: the log mode and the early lock keep "database is locked" away.
            "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL;", "transaction_mode": "IMMEDIATE", "timeout": 20},
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English")]
WAGTAIL_CONTENT_LANGUAGES = LANGUAGES
TIME_ZONE = "Europe/Berlin"
USE_I18N = True
USE_TZ = True
LOCALE_PATHS = [ROOT / "locale"]

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [ROOT / "example_site" / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR / "media"

# One file a message, to be read at /demo/mail/.
MAIL_FOLDER = VAR / "mail"
MAIL_BACKEND = "example_site.demo.mailbox.FolderBackend"
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": MAIL_BACKEND}}
else:
    EMAIL_BACKEND = MAIL_BACKEND
DEFAULT_FROM_EMAIL = "Kettle & Fern <hello@kettle-and-fern.example>"

# Opens the demo's mailbox and its pretend bank, and serves uploads without a web server in front.
DEMO = os.environ.get("DEMO", "1") == "1"
# Where links in mails lead to.
SHOP_BASE_URL = f"http://127.0.0.1:{PORT}"

LOGIN_URL = "shop:login"
LOGIN_REDIRECT_URL = "shop:account"
LOGOUT_REDIRECT_URL = "/"

DEFAULT_CURRENCY = "EUR"
CURRENCIES = ("EUR",)

WAGTAIL_SITE_NAME = "Kettle & Fern"
WAGTAILADMIN_BASE_URL = f"http://127.0.0.1:{PORT}"
# Nothing of the demo calls another site.
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAILIMAGES_EXTENSIONS = ["gif", "jpg", "jpeg", "png", "webp", "svg"]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"

# Strict on every public page; the admin brings inline code of its own and is left out (CM-6).
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ("/admin/", "/django-admin/"),
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'self'"],
    },
}

# The embedded worker: a queue in the shop's own database, for "manage.py db_worker".
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

THANKYOU_FLOWS = {
    "STORE": "example_site.shop.store.ExampleStore",
    "BASE_URL": SHOP_BASE_URL,
    "MAIL_FOOTER": "Kettle & Fern · Teapot Lane 3 · 10115 Berlin",
}
THANKYOU_WISHLISTS = {
    "CATALOG": "example_site.shop.store.ExampleStore",
    "CHECKOUT_URL": "shop:checkout",
    "SEND_MAIL": "thankyou_flows.mail.outbox.send_by_outbox",
    # Remembers nothing before the customer turns it on.
    "KINDS": {"recent": {"is_on": True}},
}
THANKYOU_COUPONS = {
    "BASKET": "example_site.shop.facts.facts_of_request",
    "CATALOG": "example_site.shop.store.ExampleStore",
    "VERIFIED_EMAIL": "example_site.shop.accounts.verified_email",
}
