"""What happens when several customers finish at the same instant."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections
from django.urls import reverse

from coupons.issuing import issue
from coupons.models import Campaign, Coupon, Redemption
from thankyou_flows.stores.oscar import OscarStore
from thankyou_flows.stores.oscar.vouchers import unpublish

from .conftest import model

THREADS = 12


def at_once(work: Callable[[int], object]) -> list[Exception]:
    """Run the work in threads that start together; return what went wrong."""
    barrier, errors = threading.Barrier(THREADS), []

    def run(number: int) -> None:
        try:
            barrier.wait(timeout=30)
            work(number)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return errors


@pytest.fixture
def coupons(transactional_db: None) -> list[Coupon]:
    campaign = Campaign.objects.create(
        title="C", status=Campaign.Status.RUNNING, benefit=Campaign.Benefit.FREE_SHIPPING, deadline_minutes=60
    )
    made = [issue(campaign=campaign) for _ in range(THREADS)]
    # They were published as they were given out.
    unpublish()
    return made


def rows() -> dict[str, int]:
    names = ("voucher.Voucher", "offer.ConditionalOffer", "offer.Condition", "offer.Benefit")
    return {name: model(name).objects.count() for name in names}


@pytest.mark.postgres
def test_first_coupons_of_a_campaign_share_one_offer(coupons: list[Coupon]) -> None:
    store: Any = OscarStore()
    assert at_once(lambda number: store.publish_coupon(coupon=coupons[number])) == []
    assert rows() == {
        "voucher.Voucher": THREADS,
        "offer.ConditionalOffer": 1,
        "offer.Condition": 1,
        "offer.Benefit": 1,
    }
    assert connection.vendor == "postgresql"


@pytest.mark.postgres
def test_one_coupon_published_many_times_is_one_voucher(coupons: list[Coupon]) -> None:
    store: Any = OscarStore()
    assert at_once(lambda number: store.publish_coupon(coupon=coupons[0])) == []
    assert rows()["voucher.Voucher"] == rows()["offer.ConditionalOffer"] == 1
    assert model("voucher.Voucher").objects.get().offers.count() == 1


@pytest.mark.postgres
@pytest.mark.parametrize("limited", ["coupon", "campaign"])
def test_customers_who_press_the_button_together_get_no_use_too_many(
    transactional_db: None, customer: Callable[..., Any], product: Any, limited: str
) -> None:
    """CO-1: three uses, twelve orders. The others pay nothing, read why, and order without the coupon."""
    campaign = Campaign.objects.create(
        title="C",
        status=Campaign.Status.RUNNING,
        benefit=Campaign.Benefit.FREE_SHIPPING,
        total_limit=3 if limited == "campaign" else None,
    )
    coupon = issue(campaign=campaign, usage_limit=3 if limited == "coupon" else 100)
    store: Any = OscarStore()
    store.publish_coupon(coupon=coupon)
    browsers = [customer(f"c{number}@example.com") for number in range(THREADS)]
    for browser in browsers:
        browser.add(product)
        browser.type_code(coupon.display_code)
        browser.preview()
    statuses: list[int] = []
    assert at_once(lambda number: statuses.append(place(browsers[number]))) == []
    assert sorted(statuses) == [200] * (THREADS - 3) + [302] * 3
    assert model("order.Order").objects.filter(shipping_incl_tax=0).count() == 3
    assert Redemption.objects.redeemed().count() == 3
    assert not Redemption.objects.filter(over_limit=True).exists()
    for browser in browsers:
        place(browser)
    assert model("order.Order").objects.count() == THREADS
    assert model("order.Order").objects.filter(shipping_incl_tax=0).count() == 3


def place(browser: Any) -> int:
    return int(browser.client.post(reverse("checkout:preview"), {"action": "place_order"}).status_code)
