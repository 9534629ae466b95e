"""One project for all sides of a comparison: the Oscar example, with our cookie cart and a static Wagtail page in it.

``EXAMPLE_SITE_VAR`` names the folder of the SQLite file; ``DATABASE_URL`` switches to PostgreSQL.
"""

from __future__ import annotations

from importlib.util import find_spec

import django

from tests.oscar.settings import *  # noqa: F403
from tests.oscar.settings import DATABASES, INSTALLED_APPS, ROOT, TEMPLATES, VAR

INSTALLED_APPS = ["benchmarks", *INSTALLED_APPS]
IMMEDIATE = f"{'django.tasks' if django.VERSION >= (6, 0) else 'django_tasks'}.backends.immediate.ImmediateBackend"
# Peers; without them their sides are left out.
PEERS = [name for name in ("cart", "discounts", "engagement") if find_spec(f"flexcommerce_{name}")]
if PEERS:
    INSTALLED_APPS += ["flexcommerce_core", *(f"flexcommerce_{name}" for name in PEERS)]
    FLEXCOMMERCE = {"PRODUCT_MODELS": ["benchmarks.Ware"], "CURRENCY": "EUR", "VAT_INCLUSIVE": True}
# Another peer: a queue in the database, of which each mail is a task.
if find_spec("django_tasks_db"):
    INSTALLED_APPS = [*(app for app in INSTALLED_APPS if app != "django_tasks_db"), "django_tasks_db"]
    TASKS = {"default": {"BACKEND": IMMEDIATE}, "bench": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
ROOT_URLCONF = "benchmarks.urls"
# Debug off and APP_DIRS on: Django keeps compiled templates.
TEMPLATES[0]["DIRS"] = [ROOT / "benchmarks" / "templates", ROOT / "templates"]

DATABASES["default"]["CONN_MAX_AGE"] = None
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["NAME"] = VAR / "benchmarks.sqlite3"
    # No waiting for the disk, as on the throw-away PostgreSQL: peers that write are not charged for our disk.
    DATABASES["default"]["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }

THANKYOU_WISHLISTS = {"CATALOG": "benchmarks.catalog.Catalog"}
# A side that breaks is seen, and not measured.
DEBUG_PROPAGATE_EXCEPTIONS = True
