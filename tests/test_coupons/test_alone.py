"""Coupons alone in a Django shop: the files of docs/how-to/coupons-alone.md, in a project with nothing else of ours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "coupons-alone.md"
#: A file of the page: its name in the sentence before the code.
FILE = re.compile(r"`(shop/\w+\.py)`[^\n]*\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

#: What a new Django project has, and no migrations: the tables are made from the models.
SETTINGS = """
SECRET_KEY = "of a test"
ROOT_URLCONF = "shop.urls"
USE_TZ = True
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
DEBUG = True
class Without(dict):
    def __contains__(self, app): return True
    def __getitem__(self, app): return None
MIGRATION_MODULES = Without()
INSTALLED_APPS = ["django.contrib." + app for app in "admin auth contenttypes sessions messages staticfiles".split()]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "DIRS": ["templates", "%(templates)s"],
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
"""

BASKET = """
from djmoney.money import Money
def lines_of(request):
    return [("T-1", 2, Money("10.00", "EUR"))]
"""

#: One purchase, through the shop's own files.
STORY = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
import django
django.setup()
from django.core.management import call_command
call_command("check", fail_level="WARNING")
call_command("migrate", run_syncdb=True, verbosity=0)

from django.contrib.auth.models import User
from django.test import Client
from djmoney.money import Money
from coupons.models import Campaign, Coupon
from shop.campaigns import give_one, make_spring
from shop.checkout import declined, offer_for, paid, place, undone
from shop.coupons import facts_of

spring = make_spring()
client = Client()
answer = client.post("/coupons/apply/", {"code": " spring ", "next": "/coupons/apply/"}, HTTP_HOST="localhost")
assert answer.status_code in (302, 303), answer.status_code
page = client.get("/coupons/apply/", HTTP_HOST="localhost")
assert page.status_code == 200 and b"10% off" in page.content
session = client.session
facts = facts_of([("T-1", 2, Money("10.00", "EUR"))], email="ada@example.com", country="DE", previous_orders=0)
assert offer_for(session=session, facts=facts).total == Money("22.90", "EUR")
totals = []
number = place(session=session, facts=facts, save=lambda offer: totals.append(offer.total) or "1001")
assert (number, totals) == ("1001", [Money("22.90", "EUR")])
paid(number)
def used():
    return Coupon.objects.get(is_word=True).used
assert used() == 1
undone(number, "refunded")
assert used() == 1
undone(number, "cancelled")
assert used() == 0
declined(number)
single = Campaign.objects.create(title="Letter", status="running", benefit="free_shipping")
assert give_one(single, reason="letter 12") == give_one(single, reason="letter 12")

# Django's own admin makes a campaign with a question.
User.objects.create_superuser("owner", "owner@example.com", "x")
client.force_login(User.objects.get())
url = "/admin/thankyou_coupons/campaign/add/"
data = {"title": "By hand", "status": "running", "benefit": "free_shipping", "code_type": "single", "combinable": "on",
    "audience": "everybody", "zone": "UTC", "uses_per_coupon": "1", "give_back": "cancelled",
    "questions-TOTAL_FORMS": "1", "questions-INITIAL_FORMS": "0", "questions-0-label": "Which tea?",
    "questions-0-field_type": "singleline", "questions-0-purpose": "To know.", "questions-0-keep_days": "30"}
data |= dict.fromkeys(["products_in", "products_out", "categories_in", "categories_out", "countries"], "[]")
answer = client.post(url, data, HTTP_HOST="localhost")
assert answer.status_code == 302, answer.content.decode()
assert Campaign.objects.get(title="By hand").questions.get().clean_name == "which_tea"
print("bought")
"""


def test_a_shop_with_nothing_else_of_ours(tmp_path: Path) -> None:
    """Issue 3: coupons can be used alone in any Django shop; the page's files are enough for a purchase."""
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "__init__.py").touch()
    files = FILE.findall(PAGE.read_text(encoding="utf-8"))
    assert [name for name, _code in files] == [
        f"shop/{name}.py" for name in ("settings", "urls", "coupons", "checkout", "campaigns", "admin")
    ]
    for name, code in files:
        (tmp_path / name).write_text(code, encoding="utf-8")
    settings = SETTINGS % {"templates": ROOT / "templates"} + (shop / "settings.py").read_text(encoding="utf-8")
    # So that Django finds admin.py of the shop itself.
    (shop / "settings.py").write_text(settings + "INSTALLED_APPS += ['shop']\n", encoding="utf-8")
    urls = (shop / "urls.py").read_text(encoding="utf-8")
    admin = "from django.contrib import admin\nurlpatterns += [path('admin/', admin.site.urls)]\n"
    (shop / "urls.py").write_text(urls + admin, encoding="utf-8")
    (shop / "basket.py").write_text(BASKET, encoding="utf-8")
    (tmp_path / "templates").mkdir()
    layout = "{% block title %}{% endblock %}{% block extra_head %}{% endblock %}{% block content %}{% endblock %}"
    (tmp_path / "templates" / "base.html").write_text(layout, encoding="utf-8")
    (tmp_path / "story.py").write_text(STORY, encoding="utf-8")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("DJANGO_", "PYTEST_", "COV_"))}
    done = subprocess.run(
        [sys.executable, "story.py"],
        cwd=tmp_path,
        env={**kept, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip().endswith("bought"), done.stdout[-1000:] + done.stderr[-3000:]
