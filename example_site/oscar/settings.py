"""Settings of the Oscar example: an ordinary Oscar and Wagtail project. What our package adds is marked with "ours".

Everything it writes (database, uploads, mail) is kept in ``var/oscar``, or in ``$EXAMPLE_SITE_VAR``.
"""

from __future__ import annotations

import os
from pathlib import Path

import django
import oscar
from oscar.defaults import *  # noqa: F403

from example_site.settings import database

ROOT = Path(__file__).resolve().parent.parent.parent
VAR = Path(os.environ.get("EXAMPLE_SITE_VAR", ROOT / "var" / "oscar"))

# A demo runs on the newcomer's own machine; the key signs nothing of value there.
SECRET_KEY = os.environ.get("SECRET_KEY", "oscar-example-only-not-for-any-real-site-0123456789abcdef")
DEBUG = os.environ.get("DEBUG", "1") == "1"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
PORT = os.environ.get("PORT", "8000")
SITE_ID = 1

# Oscar charges nothing for shipping, and the way to change that is a fork of its shipping app. This is the shop's own.
OSCAR_APPS = [
    "example_site.oscar.shipping.apps.ShippingConfig" if app == "oscar.apps.shipping.apps.ShippingConfig" else app
    for app in oscar.INSTALLED_APPS
]
MIGRATION_MODULES = {"shipping": "oscar.apps.shipping.migrations"}

INSTALLED_APPS = [
    "example_site.oscar",
    "thankyou_flows",  # ours
    "thankyou_flows.pages",  # ours
    "wishlists",  # ours
    "coupons",  # ours
    "djmoney",  # ours
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
    *OSCAR_APPS,
    "sorl.thumbnail",
    "django_tasks_db",  # ours
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "oscar.apps.basket.middleware.BasketMiddleware",
    "wishlists.middleware.ListsMiddleware",  # ours
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "oscar.apps.customer.auth_backends.EmailBackend",
    "django.contrib.auth.backends.ModelBackend",
]

ROOT_URLCONF = "example_site.oscar.urls"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # The package's own templates/ is listed here because an editable install does not copy it into the apps.
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "oscar.apps.search.context_processors.search_form",
                "oscar.apps.checkout.context_processors.checkout",
                "oscar.apps.communication.notifications.context_processors.notifications",
                "oscar.core.context_processors.metadata",
            ],
        },
    },
]

if os.environ.get("DATABASE_URL", "").startswith(("postgres://", "postgresql://")):
    DATABASES = {"default": database(os.environ["DATABASE_URL"])}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": VAR / "db.sqlite3",
            "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL;", "transaction_mode": "IMMEDIATE", "timeout": 20},
        }
    }
# Oscar's, whose migrations say so.
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "example_site.oscar.search.TableEngine"}}
# That engine looks into the tables themselves: there is no index to keep.
HAYSTACK_SIGNAL_PROCESSOR = "haystack.signals.BaseSignalProcessor"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
WAGTAIL_CONTENT_LANGUAGES = LANGUAGES
TIME_ZONE = "Europe/Berlin"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR / "media"

MAIL_FOLDER = VAR / "mail"
if django.VERSION >= (6, 1):
    MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "OPTIONS": {"file_path": MAIL_FOLDER},
        }
    }
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = MAIL_FOLDER
DEFAULT_FROM_EMAIL = OSCAR_FROM_EMAIL = "Kettle & Fern <hello@kettle-and-fern.example>"

OSCAR_SHOP_NAME = "Kettle & Fern"
OSCAR_SHOP_TAGLINE = "on Oscar"
# The pictures of the demo are drawings (SVG), of which no thumbnail has to be made.
OSCAR_THUMBNAILER = "example_site.oscar.thumbnails.DrawingOrThumbnail"
OSCAR_ALLOW_ANON_CHECKOUT = True
# Oscar has wish lists of its own. Two kinds beside each other are one too many, and these are ours.
OSCAR_HIDDEN_FEATURES = ["wishlists"]  # ours
OSCAR_DEFAULT_CURRENCY = "EUR"
OSCAR_INITIAL_ORDER_STATUS = "Pending"
OSCAR_INITIAL_LINE_STATUS = "Pending"
OSCAR_ORDER_STATUS_PIPELINE = {
    "Pending": ("Being processed", "Cancelled"),
    "Being processed": ("Complete", "Cancelled"),
    "Complete": ("Refunded",),
    "Cancelled": (),
    "Refunded": (),
}

DEFAULT_CURRENCY = "EUR"
CURRENCIES = ("EUR",)

WAGTAIL_SITE_NAME = "Kettle & Fern"
# Where links in mails lead to.
SHOP_BASE_URL = f"http://127.0.0.1:{PORT}"
WAGTAILADMIN_BASE_URL = SHOP_BASE_URL
WAGTAILIMAGES_EXTENSIONS = ["gif", "jpg", "jpeg", "png", "webp", "svg"]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# The embedded worker: a queue in the shop's own database, for "manage.py db_worker".
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}  # ours

THANKYOU_FLOWS = {  # ours
    "STORE": "thankyou_flows.stores.oscar.OscarStore",
    "BASE_URL": SHOP_BASE_URL,
    "MAIL_FOOTER": "Kettle & Fern · Teapot Lane 3 · 10115 Berlin",
    # Oscar's checkout does not say that one may object to mail about similar products, so OBJECTION_OFFERED_SINCE is not
    # set: such mail goes to those who have confirmed a sign-up to a list that covers it.
}
THANKYOU_COUPONS = {  # ours
    "BASKET": "thankyou_flows.stores.oscar.basket_facts",
    "CATALOG": "thankyou_flows.stores.oscar.OscarStore",
}
THANKYOU_WISHLISTS = {  # ours: lists beside Oscar's own basket
    "CATALOG": "thankyou_flows.stores.get_store",
    "BASKET": "thankyou_flows.stores.lists.add_to_basket",
    "BASKET_URL": "basket:summary",
    "SEND_MAIL": "thankyou_flows.mail.outbox.send_by_outbox",
    "KINDS": {"cart": {"is_on": False}},
    "QUIET_URLS": ["checkout:index"],
}
