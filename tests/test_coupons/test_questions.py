"""The owner's questions, and the coupon that a new account is offered (CO-9)."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from coupons.models import Coupon
from coupons.models.questions import clean_name_of, repeated_places
from coupons.registration import welcome
from tests.test_coupons.asking import make_asking_campaign, make_question
from tests.test_coupons.factories import NOW, make_campaign

pytestmark = pytest.mark.django_db

# Questions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Which tea?", "which TEA", True),
        ("Which tea?", "Which cup?", False),
        ("你最喜欢什么茶？", "你最喜欢什么咖啡？", False),
        ("🫖", "☕", False),
        ("???", "???", True),
        ("茶" * 200, "茶" * 199, False),
    ],
)
def test_the_same_words_are_the_same_question(one: str, other: str, same: bool) -> None:
    """CO-9: in every language, and whatever the length."""
    assert (clean_name_of(one) == clean_name_of(other)) is same
    assert 0 < len(clean_name_of(one)) <= 200
    assert repeated_places([one, "Something else", other]) == ([2] if same else [])


def test_no_question_takes_the_place_of_the_newsletters_box() -> None:
    """CO-9."""
    assert clean_name_of("Agree to marketing") != "agree_to_marketing"


def test_a_reworded_question_is_another_question() -> None:
    """CO-9: an old answer must not pass for one to what was never asked."""
    question = make_question(make_campaign())
    question.label = "How old are you?"
    question.save(update_fields=["label"])
    question.refresh_from_db()
    assert question.clean_name == "how_old_are_you"


@pytest.mark.parametrize(
    ("field_type", "choices", "fails"),
    [
        ("singleline", "", False),
        ("dropdown", "", True),
        ("radio", "Only one", True),
        ("radio", "Twice\nTwice\n\n", True),
        ("checkboxes", "Cups, Pots", False),
        ("dropdown", "x" * 201 + "\nPots", True),
    ],
)
def test_choices_need_something_to_choose(field_type: str, choices: str, fails: bool) -> None:
    """CO-9: the owner is told beside the field."""
    question = make_question(make_campaign(), field_type=field_type, choices=choices)
    if fails:
        with pytest.raises(ValidationError) as caught:
            question.full_clean()
        assert list(caught.value.message_dict) == ["choices"]
    else:
        question.full_clean()


@pytest.mark.parametrize("missing", [{"purpose": ""}, {"keep_days": 0}, {"keep_days": 3654}])
def test_why_and_how_long_must_be_said(missing: dict[str, Any]) -> None:
    """CO-9, GDPR art. 13."""
    with pytest.raises(ValidationError) as caught:
        make_question(make_campaign(), **missing).full_clean()
    assert list(caught.value.message_dict) == list(missing)


# After a registration ---------------------------------------------------------------------------------


def test_a_new_account_gets_one_coupon_of_the_newest_campaign() -> None:
    """CO-9: the next step after a registration; once, whoever calls how often."""
    make_asking_campaign(offer_after_registration=True, created_at=NOW - timedelta(days=9))
    newest = make_asking_campaign(offer_after_registration=True, created_at=NOW)
    make_asking_campaign(offer_after_registration=True, status="draft")
    make_asking_campaign(created_at=NOW + timedelta(days=1))
    coupon = welcome(user_key="u:7", now=NOW)
    assert coupon is not None
    assert (coupon.campaign, coupon.holder_key, coupon.state) == (newest, "u:7", Coupon.State.LOCKED)
    assert welcome(user_key="u:7", email="ann@example.com", now=NOW) == coupon
    assert welcome(email="ann@example.com", now=NOW) != coupon
    assert welcome(email=" ANN@example.com", now=NOW) == welcome(email="ann@example.com", now=NOW)


def test_without_a_campaign_there_is_nothing_to_offer() -> None:
    """CO-9."""
    assert welcome(user_key="u:7", now=NOW) is None
    with pytest.raises(ValueError, match="user_key or email"):
        welcome()


# Parts that a shop may lack ---------------------------------------------------------------------------

BARE = """
import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=[
        "coupons", "wagtail.users", "wagtail.admin", "wagtail", "wagtail.search", "wagtail.images", "wagtail.documents",
        "taggit", "modelcluster", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
        "django.contrib.messages",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    SECRET_KEY="bare", STATIC_URL="/static/", USE_TZ=True, WAGTAIL_SITE_NAME="Bare", WAGTAILADMIN_BASE_URL="http://x.example",
)
django.setup()
from coupons.forms import fields_for
from coupons.models import Question
import coupons.urls

[field] = fields_for([Question(label="Tea?", clean_name="tea", purpose="Why", field_type="radio", choices="A, B")]).values()
print(type(field).__name__, field.purpose)
"""


def test_wagtails_form_app_need_not_be_installed() -> None:
    """CO-9: its form builder is used, and none of its tables."""
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run(
        [sys.executable, "-c", BARE],
        cwd=root,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
    )
    assert run.stdout == "ChoiceField Why\n", run.stderr
