"""Our coupons as Oscar vouchers: every benefit, the limits, the deadline, and what else is on the basket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Count
from django.utils import timezone
from djmoney.money import Money

from coupons.issuing import issue
from coupons.models import Campaign, Coupon, Redemption
from thankyou_flows.stores.oscar import OscarStore
from thankyou_flows.stores.oscar.checks import check_campaigns

from .conftest import SHIPPING, model


@pytest.fixture
def store() -> OscarStore:
    return OscarStore()


@pytest.fixture
def make_coupon(store: OscarStore, shop: Any) -> Callable[..., Coupon]:
    def make(*, usage_limit: int = 1, campaign: Campaign | None = None, **fields: Any) -> Coupon:
        fields = {"title": "C", "status": Campaign.Status.RUNNING, "benefit": Campaign.Benefit.FREE_SHIPPING, **fields}
        coupon = issue(campaign=campaign or Campaign.objects.create(**fields), usage_limit=usage_limit)
        store.publish_coupon(coupon=coupon)
        return coupon

    return make


def voucher_of(coupon: Coupon) -> Any:
    return model("voucher.Voucher").objects.get(code=coupon.display_code)


# Benefits -----------------------------------------------------------------------------------------


def test_percent(customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]) -> None:
    coupon = make_coupon(benefit="percent", percent=Decimal("15"))
    order = customer().order(product, quantity=2, code=coupon.display_code)
    assert order.total_incl_tax == Decimal("34.00") + SHIPPING
    read = OscarStore().get_order(number=order.number)
    assert (read.subtotal, read.discount) == (Money("40.00", "EUR"), Money("6.00", "EUR"))
    assert read.coupon_codes == (coupon.code,)
    assert Redemption.objects.get().discount == Money("6.00", "EUR")


def test_an_amount_is_taken_off_once(
    customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]
) -> None:
    coupon = make_coupon(benefit="amount", amount=Money("5.00", "EUR"))
    order = customer().order(product, quantity=3, code=coupon.display_code)
    assert order.total_incl_tax == Decimal("55.00") + SHIPPING


def test_an_amount_is_never_more_than_the_goods(
    customer: Callable[..., Any], make_product: Callable[..., Any], make_coupon: Callable[..., Coupon]
) -> None:
    """CO-4."""
    coupon = make_coupon(benefit="amount", amount=Money("50.00", "EUR"))
    order = customer().order(make_product(price="3.00"), code=coupon.display_code)
    assert order.total_incl_tax == SHIPPING


def test_an_amount_in_another_currency_is_not_turned_into_this_one(
    customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]
) -> None:
    """It is published, because a shop may sell in several currencies, and refused for every basket in another."""
    coupon = make_coupon(benefit="amount", amount=Money("500.00", "JPY"))
    order = customer().order(product, code=coupon.display_code)
    assert order.total_incl_tax == Decimal("20.00") + SHIPPING
    assert not Redemption.objects.exists()


def test_a_changed_campaign_changes_the_voucher(
    customer: Callable[..., Any], product: Any, store: OscarStore, make_coupon: Callable[..., Coupon]
) -> None:
    coupon = make_coupon(benefit="percent", percent=Decimal("15"))
    Campaign.objects.update(percent=Decimal("50"))
    coupon.campaign.refresh_from_db()
    store.publish_coupon(coupon=coupon)
    assert customer().order(product, code=coupon.display_code).total_incl_tax == Decimal("10.00") + SHIPPING


# Limits -------------------------------------------------------------------------------------------


def test_a_coupon_for_three_uses_is_good_for_three_orders(
    customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]
) -> None:
    coupon = make_coupon(usage_limit=3)
    charges = [
        customer(f"c{number}@example.com").order(product, code=coupon.display_code).shipping_incl_tax
        for number in range(4)
    ]
    assert charges == [0, 0, 0, SHIPPING]
    assert Redemption.objects.filter(state="redeemed", over_limit=False).count() == 3


def test_coupons_of_one_campaign_share_one_offer_and_each_is_used_once(
    customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]
) -> None:
    first = make_coupon()
    second = make_coupon(campaign=first.campaign)
    assert model("offer.ConditionalOffer").objects.get().vouchers.count() == 2
    assert customer("a@example.com").order(product, code=first.display_code).shipping_incl_tax == 0
    assert customer("b@example.com").order(product, code=first.display_code).shipping_incl_tax == SHIPPING
    assert customer("b@example.com").order(product, code=second.display_code).shipping_incl_tax == 0


def test_a_second_code_that_saves_nothing_is_not_used_up(
    customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]
) -> None:
    first = make_coupon()
    second = make_coupon(campaign=first.campaign)
    ana = customer()
    ana.add(product)
    ana.type_code(first.display_code)
    # As a merge of two baskets after signing in would leave it.
    basket = model("basket.Basket").objects.latest("pk")
    basket.vouchers.add(voucher_of(second))
    ana.preview()
    assert ana.place().status_code == 302
    used = model("voucher.Voucher").objects.annotate(uses=Count("applications")).filter(uses__gt=0)
    assert len(used) == 1
    assert Redemption.objects.count() == 1


def test_free_shipping_leaves_the_shops_other_offers_alone(
    customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]
) -> None:
    """Oscar lets a product serve one exclusive offer only; ours must not be the one that takes it."""
    everything = model("offer.Range").objects.create(name="Everything", includes_all_products=True)
    model("offer.ConditionalOffer").objects.create(
        name="Spring sale",
        condition=model("offer.Condition").objects.create(type="Count", value=1, range=everything),
        benefit=model("offer.Benefit").objects.create(type="Percentage", value=10, range=everything),
    )
    order = customer().order(product, code=make_coupon().display_code)
    assert order.shipping_incl_tax == 0
    assert order.total_incl_tax == Decimal("18.00")


# Life ---------------------------------------------------------------------------------------------


def test_publishing_again_changes_nothing_but_the_deadline(
    store: OscarStore, make_coupon: Callable[..., Coupon]
) -> None:
    coupon = make_coupon(deadline_minutes=60)
    before = {name: model(name).objects.count() for name in ("voucher.Voucher", "offer.Benefit", "offer.Range")}
    coupon.ends_at += timedelta(minutes=60)
    coupon.save()
    store.publish_coupon(coupon=coupon)
    assert {name: model(name).objects.count() for name in before} == before
    voucher = voucher_of(coupon)
    assert voucher.end_datetime == coupon.ends_at + timedelta(seconds=90)
    assert voucher.start_datetime == coupon.issued_at
    assert voucher.offers.count() == 1


def test_a_coupon_without_a_deadline_ends_with_its_campaign_or_never(make_coupon: Callable[..., Coupon]) -> None:
    assert voucher_of(make_coupon()).end_datetime.year == 2999
    end = timezone.now() + timedelta(days=3)
    assert voucher_of(make_coupon(ends_at=end)).end_datetime == end + timedelta(seconds=90)


def test_a_withdrawn_coupon_is_refused(
    customer: Callable[..., Any], product: Any, store: OscarStore, make_coupon: Callable[..., Coupon]
) -> None:
    coupon = make_coupon()
    store.withdraw_coupon(coupon=coupon)
    assert customer().order(product, code=coupon.display_code).shipping_incl_tax == SHIPPING


def test_a_revoked_or_locked_coupon_is_not_published(store: OscarStore, make_coupon: Callable[..., Coupon]) -> None:
    coupon = make_coupon()
    for state in (Coupon.State.REVOKED, Coupon.State.LOCKED):
        coupon.state = state
        store.publish_coupon(coupon=coupon)
        assert not voucher_of(coupon).is_active()
    coupon.state = Coupon.State.AVAILABLE
    store.publish_coupon(coupon=coupon)
    assert voucher_of(coupon).is_active()


def test_vouchers_follow_the_dates_of_their_campaign(
    store: OscarStore, make_coupon: Callable[..., Coupon], django_capture_on_commit_callbacks: Any
) -> None:
    endless = make_coupon()
    personal = make_coupon(campaign=endless.campaign)
    Coupon.objects.filter(pk=personal.pk).update(ends_at=timezone.now() + timedelta(days=2))
    personal.refresh_from_db()
    store.publish_coupon(coupon=personal)
    campaign = Campaign.objects.get()
    for days in (1, 3):
        campaign.ends_at = timezone.now() + timedelta(days=days)
        with django_capture_on_commit_callbacks(execute=True):
            campaign.save()
        grace = timedelta(seconds=90)
        assert voucher_of(endless).end_datetime == campaign.ends_at + grace
        assert voucher_of(personal).end_datetime == min(campaign.ends_at, personal.ends_at) + grace


def test_a_renamed_offer_is_found_again(store: OscarStore, make_coupon: Callable[..., Coupon]) -> None:
    """A shop owner may give it a nicer name in Oscar's dashboard."""
    coupon = make_coupon()
    model("offer.ConditionalOffer").objects.update(name="A gift from us")
    make_coupon(campaign=coupon.campaign)
    assert model("offer.ConditionalOffer").objects.get().name == "A gift from us"
    # Names are what the customer reads on the order; they say what it is.
    assert voucher_of(coupon).name.startswith("Free shipping")


@pytest.fixture
def shops_own(shop: Any) -> Any:
    """A voucher that the shop owner made in Oscar's dashboard."""
    everything = model("offer.Range").objects.create(name="Everything", includes_all_products=True)
    offer = model("offer.ConditionalOffer").objects.create(
        name="Welcome",
        offer_type="Voucher",
        condition=model("offer.Condition").objects.create(type="Count", value=1, range=everything),
        benefit=model("offer.Benefit").objects.create(type="Percentage", value=50, range=everything),
    )
    voucher = model("voucher.Voucher").objects.create(
        name="Theirs",
        code="WELCOME",
        start_datetime=timezone.now() - timedelta(days=1),
        end_datetime=timezone.now() + timedelta(days=1),
    )
    voucher.offers.set([offer])
    return voucher


def test_codes_of_the_shops_own_vouchers_are_none_of_our_business(
    customer: Callable[..., Any], product: Any, shops_own: Any
) -> None:
    order = customer().order(product, code="welcome")
    assert order.total_incl_tax == Decimal("10.00") + SHIPPING
    assert OscarStore().get_order(number=order.number).coupon_codes == ("WELCOME",)
    assert not Redemption.objects.exists()


def test_a_word_does_not_take_over_the_shops_own_voucher(
    customer: Callable[..., Any],
    product: Any,
    shops_own: Any,
    django_capture_on_commit_callbacks: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The check W108 tells the owner."""
    with django_capture_on_commit_callbacks(execute=True):
        Campaign.objects.create(
            title="Clash", status="running", code_type="word", word="WELCOME", benefit="free_shipping", total_limit=5
        )
    assert "voucher of its own" in caplog.text
    assert [offer.name for offer in shops_own.offers.all()] == ["Welcome"]
    assert customer().order(product, code="WELCOME").shipping_incl_tax == SHIPPING
    ids = [message.id for message in check_campaigns(None, databases=["default"])]
    assert ids == ["thankyou_flows.W108"]
    assert check_campaigns(None) == []


def test_a_voucher_that_was_linked_to_our_offer_by_hand_gets_nothing(
    customer: Callable[..., Any], product: Any, shops_own: Any, make_coupon: Callable[..., Coupon]
) -> None:
    """Only a coupon of ours is good for what its campaign promises."""
    shops_own.offers.set(voucher_of(make_coupon()).offers.all())
    assert customer().order(product, code="welcome").shipping_incl_tax == SHIPPING
