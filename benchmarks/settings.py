"""One project for all sides of a comparison: the Oscar example, with our cookie cart and a static Wagtail page in it.

``EXAMPLE_SITE_VAR`` names the folder of the SQLite file; ``DATABASE_URL`` switches to PostgreSQL.
"""

from __future__ import annotations

from importlib.util import find_spec

from tests.oscar.settings import *  # noqa: F403
from tests.oscar.settings import DATABASES, INSTALLED_APPS, MIDDLEWARE, ROOT, TEMPLATES, VAR

INSTALLED_APPS = ["benchmarks", *INSTALLED_APPS]
if find_spec("flexcommerce_discounts"):
    # A peer for coupons; the other rows do without it.
    INSTALLED_APPS += ["flexcommerce_core", "flexcommerce_discounts"]
MIDDLEWARE = [*MIDDLEWARE, "wishlists.middleware.ListsMiddleware"]
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
