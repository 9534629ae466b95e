"""``{% order_offers %}``: what an order was promised, in the shop's own mail about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.template import Context, Template
from django.utils import timezone, translation

from coupons.models import Coupon
from tests.test_followups.conftest import give, make_campaign

HTML = "{% load thankyou_flows %}{% order_offers number %}"
TEXT = '{% load thankyou_flows %}{% order_offers number format="text" %}'


@pytest.fixture(autouse=True)
def english(db: None, clock: Any) -> Any:
    with translation.override("en-gb"):
        yield


def written(template: str, number: Any = "T-1001") -> str:
    return Template(template).render(Context({"number": number}))


def test_it_says_what_was_promised_until_when_and_the_code(django_assert_num_queries: Any) -> None:
    coupon = give(make_campaign(deadline_minutes=60, terms="Within <Slovenia>."))
    with django_assert_num_queries(1):
        text = written(TEXT)
    assert text == (
        "Your offer: Free shipping until Monday, 2 March 2026, 14:00 (CET).\n"
        f"Your code: {coupon.display_code}\n"
        "Within <Slovenia>."
    )
    with django_assert_num_queries(1):
        html = written(HTML)
    assert "<strong>Your offer: Free shipping until Monday, 2 March 2026, 14:00 (CET).</strong>" in html
    assert coupon.display_code in html
    assert "Within &lt;Slovenia&gt;." in html


@pytest.mark.parametrize("count", [1, 20])
def test_it_costs_one_query(count: int, django_assert_num_queries: Any) -> None:
    for _number in range(count):
        give(make_campaign())
    with django_assert_num_queries(1):
        assert written(TEXT).count("Your code:") == count


@pytest.mark.parametrize(
    "change",
    [
        {"state": "revoked"},
        {"used": 1},
        {"ends_at": timezone.now() - timedelta(days=9000)},
    ],
    ids=["revoked", "used", "over"],
)
def test_it_says_nothing_of_what_cannot_be_used(change: dict[str, Any]) -> None:
    """CD-2."""
    give(make_campaign())
    Coupon.objects.update(**change)
    assert written(HTML) == written(TEXT) == ""


def test_it_says_nothing_of_other_orders_and_paused_campaigns() -> None:
    give(make_campaign(), number="T-10011")
    assert written(HTML) == written(TEXT) == ""
    campaign = make_campaign()
    give(campaign)
    type(campaign).objects.update(status="paused")
    assert written(HTML) == ""


def test_a_locked_coupon_keeps_its_code() -> None:
    coupon = give(make_campaign(), locked=True)
    assert coupon.display_code not in written(TEXT) + written(HTML)
    assert "to unlock it" in written(TEXT)


def test_what_goes_wrong_is_logged_and_the_shops_mail_goes_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_about: Any) -> Any:
        raise RuntimeError("no")

    monkeypatch.setattr("thankyou_flows.templatetags.thankyou_flows.find_order_offers", broken)
    assert written(HTML) == ""
    assert "could not be written into a mail" in caplog.text
