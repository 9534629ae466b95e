"""Campaigns that ask something, and customers who may answer."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from coupons.issuing import issue
from coupons.links import unlock_path
from coupons.models import Answer, Campaign, Coupon, Question
from tests.test_coupons.factories import NOW, make_campaign

#: The dotted path that tests put into ``VERIFIED_EMAIL``.
TRUSTING = {"VERIFIED_EMAIL": "tests.test_coupons.asking.believe"}


def believe(user: Any) -> str:
    """Take the account's address for proved."""
    return str(user.email)


def make_question(campaign: Campaign, label: str = "Which tea do you like best?", **changes: Any) -> Question:
    """Return a question of one line that must be answered, unless changed."""
    facts = {"purpose": "So that we can suggest teas you will like.", "keep_days": 365}
    return Question.objects.create(**{"campaign": campaign, "label": label, **facts, **changes})


def make_asking_campaign(**changes: Any) -> Campaign:
    """Return a running campaign with two questions; the second may be left empty."""
    campaign = make_campaign(**changes)
    make_question(campaign, sort_order=0)
    make_question(
        campaign,
        "How do you drink it?",
        field_type="radio",
        choices="Pure\nWith milk",
        required=False,
        purpose="So that we know what to write about.",
        keep_days=30,
        sort_order=1,
    )
    return campaign


def make_locked(*, holder_key: str = "c:ann", now: Any = NOW, **changes: Any) -> Coupon:
    """Return a locked coupon of its own asking campaign."""
    return issue(campaign=make_asking_campaign(**changes), holder_key=holder_key, now=now)


def make_answer(coupon: Coupon, name: str = "which_tea_do_you_like_best", /, **changes: Any) -> Answer:
    """Return an answer of the coupon's holder, kept for a year."""
    facts = {
        "holder_key": coupon.holder_key or f"coupon:{coupon.pk}",
        "question_name": name,
        "label": "Which tea do you like best?",
        "purpose": "So that we can suggest teas you will like.",
        "value": "Oolong",
        "campaign": coupon.campaign,
        "coupon": coupon,
        "answered_at": NOW,
        "delete_after": NOW + timedelta(days=365),
    }
    return Answer.objects.create(**{**facts, **changes})


def make_user(email: str = "ann@example.com") -> Any:
    """Return an account."""
    return get_user_model().objects.create_user(username=email, email=email, password="x")


def locked(**changes: Any) -> Coupon:
    """Return a locked coupon of today."""
    return make_locked(now=timezone.now(), **changes)


def page_of(coupon: Coupon) -> str:
    """Return the address of a coupon's page."""
    return reverse("thankyou_coupons:coupon", args=[coupon.pk])


def holder_of(coupon: Coupon, **options: Any) -> Client:
    """Return a browser that has opened the coupon's link."""
    client = Client(**options)
    assert client.get(unlock_path(coupon)).status_code == 302
    return client


def text_of(response: Any) -> str:
    """Return what a page says, in one line; a space stands for each tag."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())
