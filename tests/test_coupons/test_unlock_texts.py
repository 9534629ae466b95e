"""What stands beside each question, and that nothing of what people write is run (CO-9, ASVS 1.2)."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from coupons.holders import user_key
from coupons.issuing import issue
from coupons.models import Answer
from tests.test_coupons.asking import holder_of, make_question, make_user, page_of, text_of
from tests.test_coupons.factories import make_campaign

pytestmark = pytest.mark.django_db

KINDS = [
    ("singleline", ""),
    ("multiline", ""),
    ("number", ""),
    ("date", ""),
    ("dropdown", "A\nB"),
    ("radio", "A\nB"),
    ("checkboxes", "A\nB"),
]


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("with_errors", [True, False])
def test_every_question_says_why_and_how_long(required: bool, with_errors: bool) -> None:
    """CO-9, GDPR art. 13: beside each question of each kind, and read out with its field."""
    campaign = make_campaign()
    for number, (kind, choices) in enumerate(KINDS):
        facts: dict[str, Any] = {"purpose": f"Because of {kind}.", "keep_days": number + 2, "required": required}
        make_question(campaign, f"Tell us {kind}", field_type=kind, choices=choices, sort_order=number, **facts)
    coupon = issue(campaign=campaign, holder_key="c:ann")
    wrong = {f"answer-tell_us_{kind}": "\0" for kind, _choices in KINDS}
    client = holder_of(coupon)
    response = (
        client.post(page_of(coupon), {"command": "answer", **wrong}) if with_errors else client.get(page_of(coupon))
    )
    assert response.status_code == (422 if with_errors else 200)
    page = response.content.decode()
    for number, (kind, _choices) in enumerate(KINDS):
        name = f"id_answer-tell_us_{kind}"
        [why] = re.findall(rf'<p class="ty-question__why"\s+id="{name}_why">([^<]*)</p>', page)
        assert why == f"Because of {kind}. We keep your answer for {number + 2} days."
        [described] = re.findall(rf'aria-describedby="([^"]*{name}_why[^"]*)"', page)
        assert all(f'id="{each}"' in page for each in described.split())
        assert (f"{name}_error" in described) is with_errors
    assert page.count("(optional)") == (0 if required else len(KINDS))


@pytest.mark.parametrize(
    ("days", "says"),
    [(1, "for one day."), (30, "for 30 days."), (365, "for one year."), (730, "for 2 years."), (366, "for 366 days.")],
)
def test_how_long_in_words(days: int, says: str) -> None:
    """CO-9."""
    campaign = make_campaign()
    make_question(campaign, keep_days=days)
    coupon = issue(campaign=campaign)
    assert f"We keep your answer {says}" in text_of(holder_of(coupon).get(page_of(coupon)))


EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; alert(1); '",
    "{{ request.user }}{% debug %}",
    "</textarea></title><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "\u202e<b>\u2066",
    "&lt;script&gt;",
]


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_of_it_is_run(evil: str) -> None:
    """ASVS 1.2.1: labels, help, purposes, choices, texts and answers stand there as they were written."""
    user = make_user()
    texts = {"ask_text": evil, "marketing_text": evil, "terms": evil}
    campaign = make_campaign(**texts)
    for number, (kind, _choices) in enumerate(KINDS):
        facts = {"help_text": evil, "purpose": evil, "choices": f"{evil}\nother", "sort_order": number}
        make_question(campaign, f"{kind} {evil}", field_type=kind, required=kind == "singleline", **facts)
    coupon = issue(campaign=campaign, holder_key=user_key(user))
    client = Client()
    client.force_login(user)
    name = campaign.questions.get(field_type="singleline").clean_name
    dropdown = campaign.questions.get(field_type="dropdown").clean_name
    number_name = campaign.questions.get(field_type="number").clean_name
    pages = [
        client.get(page_of(coupon)),
        client.post(page_of(coupon), {"command": "answer", f"answer-{number_name}": evil}),
    ]
    client.post(page_of(coupon), {"command": "answer", f"answer-{name}": evil, f"answer-{dropdown}": evil})
    pages += [client.get(page_of(coupon)), client.get(reverse("thankyou_coupons:mine"))]
    assert {answer.text for answer in Answer.objects.all()} == {evil}
    for page in pages:
        html = page.content.decode().split("<main")[1].split("</main>")[0]
        assert evil in unescape(html)
        for tag in re.findall(r"<[^>]*>", html):
            assert not re.match(r"<(script|img|svg|b)\b", tag), tag
            assert not re.search(r"""\son\w+\s*=|href=["']javascript""", re.sub(r'="[^"]*"', "", tag)), tag
