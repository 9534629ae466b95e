"""From the button "place order" to the paid order and back: a use is reserved before the payment, redeemed by the order,
given back by its cancellation; and nobody pays a total that is not the one on the page (CO-1, CO-2).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from djmoney.money import Money
from oscar.apps.checkout.views import PaymentDetailsView
from oscar.apps.payment.exceptions import RedirectRequired, UnableToTakePayment

from coupons import redemption
from coupons.holders import customer_key
from coupons.models import Coupon, CouponEvent, Redemption
from coupons.redemption import release_expired
from thankyou_flows.stores.oscar import holding, receivers

from .conftest import SHIPPING, model


@pytest.fixture
def payments(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Decimal]]:
    """What the shop's payment was asked for: (number, total)."""
    asked: list[tuple[str, Decimal]] = []

    def handle_payment(self: Any, order_number: Any, total: Any, **kwargs: Any) -> None:
        asked.append((str(order_number), total.incl_tax))

    monkeypatch.setattr(PaymentDetailsView, "handle_payment", handle_payment)
    return asked


@pytest.fixture
def last_moment(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[], object]]]:
    """What happens after the total was worked out, and before we are asked: put it in."""
    waiting: list[Callable[[], object]] = []
    plain = PaymentDetailsView.generate_order_number

    def generate_order_number(self: Any, basket: Any) -> Any:
        while waiting:
            waiting.pop()()
        return plain(self, basket)

    monkeypatch.setattr(PaymentDetailsView, "generate_order_number", generate_order_number)
    yield waiting
    assert not waiting


def at_the_button(customer: Any, product: Any, *codes: str) -> Any:
    """Bring a customer to the page with the button "place order"."""
    customer.add(product)
    for code in codes:
        customer.type_code(code)
    customer.preview()
    return customer


def latest() -> Any:
    return model("order.Order").objects.latest("pk")


def decline(self: Any, *args: Any, **kwargs: Any) -> None:
    """What a shop's payment does with a bad card."""
    raise UnableToTakePayment("Your card was declined.")


def take(coupon: Coupon) -> None:
    """Somebody else's order uses the coupon."""
    redemption.redeem(order_ref=f"rival {coupon.pk}", code=coupon.code)


# Before the payment -------------------------------------------------------------------------------


def test_the_use_is_reserved_when_the_money_moves(
    customer: Callable[..., Any],
    product: Any,
    make_coupon: Callable[..., Coupon],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    coupon = make_coupon()
    seen: list[tuple[str, str, str, Any]] = []

    def handle_payment(self: Any, order_number: Any, total: Any, **kwargs: Any) -> None:
        [row] = Redemption.objects.all()
        seen.append((row.state, row.order_ref, row.customer_key, row.discount))

    monkeypatch.setattr(PaymentDetailsView, "handle_payment", handle_payment)
    order = customer().order(product, code=coupon.display_code)
    key = customer_key("ana@example.com")
    assert seen == [("reserved", order.number, key, Money("2.00", "EUR"))]
    row = Redemption.objects.get()
    assert (row.state, row.order_ref, row.customer_key) == ("redeemed", order.number, key)
    kinds = CouponEvent.objects.filter(coupon=coupon).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["issued", "reserved", "redeemed"]


def test_a_coupon_that_goes_at_the_last_moment_stops_the_payment(
    customer: Callable[..., Any],
    product: Any,
    make_coupon: Callable[..., Coupon],
    payments: list[Any],
    last_moment: list[Callable[[], object]],
) -> None:
    """The total that was agreed to is no longer true: nothing is charged, the customer reads why, and decides anew."""
    coupon = make_coupon()
    ana = at_the_button(customer(), product, coupon.display_code)
    last_moment.append(lambda: take(coupon))
    response = ana.place()
    assert payments == []
    assert "Your coupon (10% off) can no longer be used" in response.content.decode()
    assert "Nothing has been charged" in response.content.decode()
    assert response.context["order_total"].incl_tax == Decimal("24.90")
    assert not model("order.Order").objects.exists()
    basket = model("basket.Basket").objects.get()
    assert (basket.status, basket.vouchers.count(), basket.num_lines) == ("Open", 0, 1)
    assert ana.place().status_code == 302
    assert payments == [(latest().number, Decimal("24.90"))]
    assert latest().total_incl_tax == Decimal("24.90")
    assert not Redemption.objects.exclude(order_ref__startswith="rival").exists()


def test_the_proven_holder_reads_the_reason(
    customer: Callable[..., Any],
    product: Any,
    make_coupon: Callable[..., Coupon],
    last_moment: list[Callable[[], object]],
) -> None:
    """CO-6: whoever only typed the code does not."""
    for proven, told in ((True, 1), (False, 0)):
        coupon = make_coupon()
        ana = at_the_button(customer(), product, coupon.display_code)
        session = ana.client.session
        session["thankyou_coupons.proven"] = [coupon.code] if proven else []
        session.save()
        last_moment.append(partial(take, coupon))
        assert ana.place().content.decode().count("This coupon has already been used.") == told


@pytest.mark.teeth
def test_without_the_stop_the_wrong_total_is_charged(
    customer: Callable[..., Any],
    product: Any,
    make_coupon: Callable[..., Coupon],
    payments: list[Any],
    last_moment: list[Callable[[], object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(holding, "_stop", lambda view, text: None)
    coupon = make_coupon()
    ana = at_the_button(customer(), product, coupon.display_code)
    last_moment.append(lambda: take(coupon))
    ana.place()
    assert [total for _, total in payments] == [Decimal("22.90")]


def test_of_two_coupons_the_good_one_stays(
    customer: Callable[..., Any],
    product: Any,
    make_coupon: Callable[..., Coupon],
    payments: list[Any],
    last_moment: list[Callable[[], object]],
) -> None:
    good, gone = make_coupon(), make_coupon(benefit="free_shipping")
    ana = at_the_button(customer(), product, good.display_code, gone.display_code)
    last_moment.append(lambda: take(gone))
    html = ana.place().content.decode()
    assert "Your coupon (Free shipping) can no longer be used" in html
    assert "10% off)" not in html
    assert ana.place().status_code == 302
    assert [total for _, total in payments] == [Decimal("18.00") + SHIPPING]
    assert Redemption.objects.get(order_ref=latest().number).coupon == good


def test_a_busy_database_stops_the_payment_and_keeps_the_coupon(
    customer: Callable[..., Any],
    product: Any,
    make_coupon: Callable[..., Coupon],
    payments: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CO-3: a clear refusal, and the next click works."""
    from coupons.exceptions import CouponBusy

    ana = at_the_button(customer(), product, make_coupon().display_code)

    def busy(**_: Any) -> None:
        raise CouponBusy

    with monkeypatch.context() as patch:
        patch.setattr(redemption, "reserve_all", busy)
        assert "Please try again in a moment" in ana.place().content.decode()
    assert payments == []
    assert ana.place().status_code == 302
    assert [total for _, total in payments] == [Decimal("22.90")]


def test_whatever_fails_on_our_side_fails_alone(
    customer: Callable[..., Any],
    product: Any,
    make_coupon: Callable[..., Coupon],
    payments: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The sale goes on without a reservation; the order is redeemed all the same."""

    def explode(view: Any) -> None:
        raise RuntimeError("ours is broken")

    monkeypatch.setattr(receivers, "hold", explode)
    with caplog.at_level(logging.ERROR):
        order = customer().order(product, code=make_coupon().display_code)
    assert payments == [(order.number, Decimal("22.90"))]
    assert Redemption.objects.get().state == "redeemed"
    assert "on_pre_payment failed" in caplog.text


def test_an_order_that_came_too_late_is_accepted_and_recorded(
    customer: Callable[..., Any],
    product: Any,
    make_coupon: Callable[..., Coupon],
    last_moment: list[Callable[[], object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CO-2: never refused after the payment. Oscar's own single use would be: "already been used"."""
    coupon = make_coupon()
    monkeypatch.setattr(receivers, "hold", lambda view: None)
    ana = at_the_button(customer(), product, coupon.display_code)
    last_moment.append(lambda: take(coupon))
    assert ana.place().status_code == 302
    assert latest().total_incl_tax == Decimal("22.90")
    assert Redemption.objects.get(order_ref=latest().number).over_limit
    coupon.refresh_from_db()
    assert coupon.used == 1


# When the payment fails ---------------------------------------------------------------------------


def test_a_declined_card_burns_nothing(
    customer: Callable[..., Any],
    product: Any,
    make_coupon: Callable[..., Coupon],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The use stays with this order while the customer looks for another card, and with nobody else."""
    coupon = make_coupon()

    ana = at_the_button(customer(), product, coupon.display_code)
    with monkeypatch.context() as patch:
        patch.setattr(PaymentDetailsView, "handle_payment", decline)
        assert "Your card was declined" in ana.place().content.decode()
        assert ana.place().context["order_total"].incl_tax == Decimal("22.90")
    assert Redemption.objects.get().state == "reserved"
    other = customer("other@example.com")
    other.add(product)
    assert "does not qualify" in other.type_code(coupon.display_code).content.decode()
    assert ana.place().status_code == 302
    assert latest().total_incl_tax == Decimal("22.90")
    assert Redemption.objects.get().state == "redeemed"
    coupon.refresh_from_db()
    assert coupon.used == 1


def test_a_coupon_that_is_taken_off_after_a_failed_payment_is_free_at_once(
    customer: Callable[..., Any],
    product: Any,
    make_coupon: Callable[..., Coupon],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    coupon = make_coupon()

    ana = at_the_button(customer(), product, coupon.display_code)
    with monkeypatch.context() as patch:
        patch.setattr(PaymentDetailsView, "handle_payment", decline)
        ana.place()
    voucher = model("voucher.Voucher").objects.get()
    ana.client.post(reverse("basket:vouchers-remove", args=[voucher.pk]))
    assert Redemption.objects.get().state == "released"
    order = customer("other@example.com").order(product, code=coupon.display_code)
    assert order.total_incl_tax == Decimal("22.90")


def test_a_shop_with_a_new_number_for_every_try(
    customer: Callable[..., Any],
    product: Any,
    make_coupon: Callable[..., Coupon],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fork of OrderNumberGenerator may count: the use goes along to the new number."""
    numbers = iter(["A-1", "A-2"])
    monkeypatch.setattr(PaymentDetailsView, "generate_order_number", lambda self, basket: next(numbers))
    coupon = make_coupon()

    ana = at_the_button(customer(), product, coupon.display_code)
    with monkeypatch.context() as patch:
        patch.setattr(PaymentDetailsView, "handle_payment", decline)
        ana.place()
    assert ana.place().status_code == 302
    states = dict(Redemption.objects.values_list("order_ref", "state"))
    assert states == {"A-1": "released", "A-2": "redeemed"}
    assert latest().total_incl_tax == Decimal("22.90")


def test_a_customer_who_stays_at_the_gateway_blocks_nobody_for_long(
    customer: Callable[..., Any],
    product: Any,
    make_coupon: Callable[..., Coupon],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    coupon = make_coupon()

    def redirect(self: Any, *args: Any, **kwargs: Any) -> None:
        raise RedirectRequired("https://gateway.example/")

    ana = at_the_button(customer(), product, coupon.display_code)
    with monkeypatch.context() as patch:
        patch.setattr(PaymentDetailsView, "handle_payment", redirect)
        assert ana.place()["Location"] == "https://gateway.example/"
    assert Redemption.objects.get().state == "reserved"
    assert release_expired(now=timezone.now() + timedelta(minutes=31)) == 1
    assert customer("o@example.com").order(product, code=coupon.display_code).total_incl_tax == Decimal("22.90")


def test_an_order_of_which_the_news_was_lost(
    customer: Callable[..., Any],
    product: Any,
    make_coupon: Callable[..., Coupon],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    """The process died between Oscar's commit and our receiver. The use is not given away when its time is over."""
    coupon = make_coupon()
    with monkeypatch.context() as patch:
        patch.setattr(receivers, "_record_order", lambda number: None)
        order = customer().order(product, code=coupon.display_code)
    assert Redemption.objects.get().state == "reserved"
    with django_capture_on_commit_callbacks(execute=True):
        release_expired(now=timezone.now() + timedelta(minutes=31))
    row = Redemption.objects.get()
    assert (row.state, row.order_ref, row.over_limit) == ("redeemed", order.number, False)
