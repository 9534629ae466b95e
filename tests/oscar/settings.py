"""The Oscar example's settings, made quick and quiet for tests. ``DATABASE_URL`` switches from SQLite to PostgreSQL."""

from __future__ import annotations

import os
import tempfile

import django

os.environ.setdefault("EXAMPLE_SITE_VAR", tempfile.mkdtemp(prefix="thankyou-oscar-tests-"))

from example_site.oscar.settings import *  # noqa: E402, F403
from example_site.oscar.settings import DATABASES, INSTALLED_APPS, TASKS  # noqa: E402

DEBUG = False
ALLOWED_HOSTS = ["*"]
SECRET_KEY = "tests-only-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
else:
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["NAME"] = ":memory:"
    DATABASES["default"]["OPTIONS"] = {"timeout": 20}
# Tasks run at once, as where a project has set up nothing.
del TASKS
INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "django_tasks_db"]


class WithoutMigrations:
    """Makes every table straight from its model: Oscar and Wagtail bring 321 migrations, half a minute of them."""

    def __contains__(self, label: str) -> bool:
        return True

    def __getitem__(self, label: str) -> None:
        return None


MIGRATION_MODULES = WithoutMigrations()
