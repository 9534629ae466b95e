"""Coupons at the checkout of the example shop."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
import time_machine
from django.utils import timezone
from djmoney.money import Money

from coupons.codes import generate
from coupons.holders import customer_key, user_key
from coupons.models import Campaign, Coupon, Redemption
from coupons.staging import stage, staged
from example_site.shop.models import ConfirmedAddress, Order, Payment, Product
from thankyou_flows.values import OrderState

from .conftest import ADDRESS, Shopper, hidden

MakeCoupon = Callable[..., Coupon]


def used(coupon: Coupon) -> int:
    coupon.refresh_from_db()
    return coupon.used


def test_a_coupon_from_the_field_to_the_order(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """Issue 2: shipping is 0 in the stored order; reserved before payment, redeemed after it (CO-1, CO-2)."""
    coupon = make_coupon()
    shopper.put(tea)
    form = shopper.form()
    page = shopper.send(form, action="update", code=coupon.display_code.lower())
    assert "Free shipping" in page.content.decode()
    assert hidden(page)["seen_total"] == "10.00"
    assert used(coupon) == 0
    assert shopper.send({**form, **hidden(page)}).status_code == 302
    order = Order.objects.get()
    assert (order.shipping, order.total, order.coupon_codes) == (Money(0, "EUR"), Money(10, "EUR"), [coupon.code])
    assert used(coupon) == 1
    assert coupon.redemptions.get().state == Redemption.State.RESERVED
    shopper.pay(order)
    assert coupon.redemptions.get().state == Redemption.State.REDEEMED
    # It is gone from the next order.
    shopper.put(tea)
    assert hidden(shopper.client.get("/checkout/"))["seen_total"] == "14.90"


def test_percent_comes_off_the_goods(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    coupon = make_coupon(Campaign.Benefit.PERCENT, percent=Decimal(10))
    shopper.put(tea)
    page = shopper.send(shopper.form(), action="update", code=coupon.code)
    assert hidden(page)["seen_total"] == "13.90"
    assert "−€1.00" in page.content.decode()


def test_a_coupon_that_changes_nothing_is_not_used_up(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """A second free shipping stays with the customer, typed or staged by a thank-you page."""
    first, second = make_coupon(), make_coupon()
    shopper.put(tea)
    form = shopper.form()
    shopper.send(form, action="update", code=first.code)
    page = shopper.send(form, action="update", code=second.code)
    assert page.status_code == 422
    assert "would change nothing" in page.content.decode()
    session = shopper.client.session
    stage(session, second.code)
    session.save()
    page = shopper.send(form, action="update")
    shopper.send({**form, **hidden(page)})
    order = Order.objects.get()
    assert order.coupon_codes == [first.code]
    assert (used(first), used(second)) == (1, 0)
    shopper.pay(order)
    assert staged(shopper.client.session) == [second.code]


@pytest.mark.parametrize("code", ["nonsense", "0000-0000-0000"])
def test_a_wrong_code_is_refused_beside_its_field(shopper: Shopper, tea: Product, code: str) -> None:
    shopper.put(tea)
    page = shopper.send(shopper.form(), action="update", code=code)
    text = page.content.decode()
    assert page.status_code == 422
    assert f'value="{code}"' in text
    assert 'aria-describedby="code-news"' in text
    assert 'value="Rosenweg 1"' in text


def test_a_code_typed_and_not_applied_comes_before_the_order(
    shopper: Shopper, tea: Product, make_coupon: MakeCoupon
) -> None:
    """Enter in the code field must not order at a price that the customer has not seen."""
    coupon = make_coupon()
    shopper.put(tea)
    page = shopper.send(shopper.form(), code=coupon.code)
    assert not Order.objects.exists()
    assert hidden(page)["seen_total"] == "10.00"


def test_a_coupon_can_be_removed(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    coupon = make_coupon()
    shopper.put(tea)
    form = shopper.form()
    shopper.send(form, action="update", code=coupon.code)
    page = shopper.send(form, action="", remove=coupon.code)
    assert hidden(page)["seen_total"] == "14.90"
    assert 'value="Rosenweg 1"' in page.content.decode()


def test_somebody_elses_coupon_is_refused_at_the_order(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """CO-6, CO-7: one text that tells nothing of the typed address; the customer decides whether to order without it."""
    coupon = make_coupon(holder_key=customer_key("eve@example.com"), personal=True)
    shopper.put(tea)
    form = shopper.form()
    page = shopper.send(form, action="update", code=coupon.code, email="")
    assert "This code is not valid" in page.content.decode()
    page = shopper.send(form, action="update", code=coupon.code, email="eve@example.com")
    assert hidden(page)["seen_total"] == "10.00"
    page = shopper.send({**form, **hidden(page)}, action="update")
    assert hidden(page)["seen_total"] == "10.00"
    page = shopper.send({**form, **hidden(page)})
    text = page.content.decode()
    assert page.status_code == 422
    assert not Order.objects.exists()
    assert "One of your coupons cannot be used for this order." in text
    assert "another customer" not in text
    assert hidden(page)["seen_total"] == "14.90"
    assert f'name="remove" value="{coupon.code}"' in text
    # Not dropped: with another address it fits.
    assert staged(shopper.client.session) == [coupon.code]
    without = shopper.send({**form, **hidden(page), "without": coupon.code})
    assert without.status_code == 302
    assert Order.objects.get().coupon_codes == []


def test_a_coupon_of_an_account(shopper: Shopper, tea: Product, make_coupon: MakeCoupon, django_user_model) -> None:
    """CO-10: "only for the customer who got it" holds for accounts, too; guests cannot order with it."""
    owner, other = (django_user_model.objects.create_user(name, f"{name}@example.com") for name in ("ada", "eve"))
    coupon = make_coupon(holder_key=user_key(owner), personal=True)
    for user in (None, other):
        stranger = Shopper()
        if user is not None:
            stranger.client.force_login(user)
        stranger.put(tea)
        form = stranger.form()
        page = stranger.send(form, action="update", code=coupon.code)
        assert "This code is not valid" in page.content.decode()
        session = stranger.client.session
        stage(session, coupon.code)
        session.save()
        page = stranger.send(form, action="update")
        page = stranger.send({**form, **hidden(page)})
        assert (page.status_code, used(coupon)) == (422, 0)
        assert stranger.send({**form, **hidden(page), "without": coupon.code}).status_code == 302
    shopper.client.force_login(owner)
    shopper.put(tea)
    shopper.send(shopper.form(), action="update", code=coupon.code)
    assert shopper.place().coupon_codes == [coupon.code]


def test_the_checkout_does_not_tell_who_is_a_customer(shopper: Shopper, tea: Product) -> None:
    """CO-7: a public word and any address: bringing the total up to date shows the same for both, and what placing
    tells is limited like guessing.
    """
    Campaign.objects.create(
        title="Word", status="running", code_type="word", word="SPRING10", limit_per_customer=1, audience="first"
    )
    shopper.put(tea)
    shopper.send(shopper.form(), action="update", code="SPRING10")
    shopper.pay(shopper.place())
    spy = Shopper()
    spy.put(tea)
    form = spy.form()
    spy.send({**form, "email": ""}, action="update", code="SPRING10")
    for email in (ADDRESS["email"], "nobody@example.com"):
        page = spy.send({**form, "email": email}, action="update")
        text = page.content.decode()
        assert (page.status_code, hidden(page)["seen_total"]) == (200, "10.00")
        assert not any(words in text for words in ("first order only", "as often as it allows"))
        spy.send({**form, "email": email}, action="", remove="SPR1NG10")
        assert spy.send({**form, "email": email}, action="update", code="SPRING10").status_code == 200
    orders = Order.objects.count()
    pages = [spy.send({**form, "seen_total": "10.00"}) for _n in range(7)]
    assert [page.status_code for page in pages] == [422] * 5 + [429] * 2
    assert "as often as it allows" not in pages[0].content.decode()
    assert pages[-1]["Retry-After"] == "60"
    assert "order without them" in pages[-1].content.decode()
    # Somebody else's address gets no other answer now.
    assert spy.send({**form, "seen_total": "10.00", "email": "nobody@example.com"}).status_code == 429
    assert Order.objects.count() == orders
    # Without the coupon the order is never held up.
    page = spy.send(form, action="", remove="SPR1NG10")
    assert spy.send({**form, **hidden(page)}).status_code == 302


def test_a_customer_who_is_known_hears_it_in_time(
    shopper: Shopper, tea: Product, make_coupon: MakeCoupon, django_user_model
) -> None:
    """CO-6: signed in with an address that was confirmed, before anything is ordered."""
    user = django_user_model.objects.create_user("ada", ADDRESS["email"])
    shopper.put(tea)
    shopper.pay(shopper.place())
    coupon = make_coupon(audience="first")
    shopper.client.force_login(user)
    shopper.put(tea)
    form = shopper.form()
    assert shopper.send(form, action="update", code=coupon.code).status_code == 200
    ConfirmedAddress.objects.create(user=user, email=user.email)
    assert "This coupon is for the first order only." in shopper.send(form, action="update").content.decode()


def test_after_the_deadline_shipping_costs_again(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """Issue 2, done-when 1; CD-2: kinder by the grace, and then it is over."""
    coupon = make_coupon()
    shopper.put(tea)
    form = shopper.form()
    with time_machine.travel(coupon.ends_at + timedelta(seconds=60), tick=False):
        page = shopper.send(form, action="update", code=coupon.code)
        assert hidden(page)["seen_total"] == "10.00"
    with time_machine.travel(coupon.ends_at + timedelta(seconds=91), tick=False):
        page = shopper.send({**form, **hidden(page)})
        assert page.status_code == 422
        assert not Order.objects.exists()
        assert hidden(page)["seen_total"] == "14.90"
        assert "It ended " in page.content.decode()


@pytest.mark.parametrize(
    ("change", "reason", "kept"),
    [
        (lambda coupon: Coupon.objects.update(ends_at=timezone.now() - timedelta(hours=1)), "It ended ", False),
        (lambda coupon: Coupon.objects.update(used=1), "This coupon has already been used.", False),
        (lambda coupon: Coupon.objects.update(state=Coupon.State.REVOKED), "This coupon is no longer valid.", False),
        # These may fit again.
        (lambda coupon: Campaign.objects.update(status=Campaign.Status.PAUSED), "cannot be used at the moment", True),
        (
            lambda coupon: Campaign.objects.update(minimum_spend=Decimal(25), minimum_spend_currency="EUR"),
            "€15.00 are missing",
            True,
        ),
    ],
    ids=["over", "used up", "revoked", "paused", "minimum spend"],
)
def test_a_staged_coupon_that_is_refused_says_why(
    shopper: Shopper,
    tea: Product,
    make_coupon: MakeCoupon,
    change: Callable[[Coupon], object],
    reason: str,
    kept: bool,
) -> None:
    """CO-6: this browser has the coupon, so it may hear the true reason; one that is over is then out of the way."""
    coupon = make_coupon()
    shopper.put(tea)
    shopper.send(shopper.form(), action="update", code=coupon.code)
    change(coupon)
    text = shopper.client.get("/checkout/").content.decode()
    assert reason in text
    assert all(words in text for words in ("Free shipping", coupon.display_code))
    assert "This code is not valid" not in text
    assert staged(shopper.client.session) == [coupon.code], "a look changes nothing"
    assert reason in shopper.send(shopper.form(), action="update").content.decode()
    assert staged(shopper.client.session) == [coupon.code] * kept
    assert (coupon.display_code in shopper.client.get("/checkout/").content.decode()) is kept
    # Whoever types it hears no more than anybody else.
    stranger = Shopper()
    stranger.put(tea)
    page = stranger.send(stranger.form(), action="update", code=coupon.code)
    assert "This code is not valid" in page.content.decode()


@pytest.mark.parametrize("right", [True, False])
def test_guessing_at_the_checkout_is_limited(
    shopper: Shopper, tea: Product, make_coupon: MakeCoupon, right: bool
) -> None:
    """CO-7: the shop's own field has the limits, too; what else was typed stays, and the order can be placed."""
    coupon = make_coupon()
    shopper.put(tea)
    form = shopper.form()
    first = make_coupon()
    shopper.send(form, action="update", code=first.code)  # a session, as after any right code
    pages = [shopper.send(form, action="update", code=generate()) for _n in range(6)]
    assert [page.status_code for page in pages] == [422] * 5 + [429]
    page = shopper.send(form, action="update", code=coupon.code if right else generate())
    assert page.status_code == 429
    assert "Please wait a few minutes" in page.content.decode()
    assert 'value="Rosenweg 1"' in page.content.decode()
    assert staged(shopper.client.session) == [first.code]
    assert shopper.send({**form, **hidden(page)}).status_code == 302


def test_a_coupon_for_a_country_and_a_first_order(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """Issue 3: the checkout tells what it knows; a country that is only preselected is not known."""
    coupon = make_coupon(countries=["AT"], audience="first")
    shopper.put(tea)
    form = {**shopper.form(), "postcode": "", "city": ""}
    page = shopper.send(form, action="update", code=coupon.code)
    assert hidden(page)["seen_total"] == "10.00"
    page = shopper.send({**form, **ADDRESS, "country": "DE"}, action="update")
    assert "This coupon is not for deliveries to this country." in page.content.decode()
    page = shopper.send({**form, **ADDRESS, "country": "AT"}, action="update")
    assert hidden(page)["seen_total"] == "10.00"
    shopper.send({**form, **ADDRESS, "country": "AT", **hidden(page)})
    shopper.pay(Order.objects.get())
    second = make_coupon(audience="first")
    shopper.put(tea)
    page = shopper.send(shopper.form(), action="update", code=second.code)
    page = shopper.send({**shopper.form(), **hidden(page), "email": ADDRESS["email"].upper()})
    assert page.status_code == 422
    assert "One of your coupons cannot be used for this order." in page.content.decode()


def test_a_link_brings_a_code_and_applies_nothing(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """CO-12: the button of the link's page does it; back where the customer was, the shop says so."""
    coupon = make_coupon()
    shopper.put(tea)
    text = shopper.client.get(f"/tea/t-1/?coupon={coupon.display_code}").content.decode()
    address = unescape(re.search(r'href="(/coupons/apply/[^"]*)"', text)[1])
    assert coupon.display_code in shopper.client.get(address).content.decode()
    assert staged(shopper.client.session) == []
    response = shopper.client.post("/coupons/apply/", {"code": coupon.display_code, "next": "/tea/t-1/"})
    assert response["Location"] == "/tea/t-1/"
    assert "Your coupon is on this order: Free shipping." in shopper.client.get("/tea/t-1/").content.decode()
    assert hidden(shopper.client.get("/checkout/"))["seen_total"] == "10.00"


def test_the_cart_has_a_field_for_codes(shopper: Shopper, tea: Product) -> None:
    shopper.put(tea)
    text = shopper.client.get("/cart/").content.decode()
    assert "I have a code" in text
    assert 'action="/coupons/apply/"' in text
    assert '<input type="hidden" name="next" value="/cart/">' in text


def test_a_new_order_takes_the_coupon_from_the_one_left_unpaid(
    shopper: Shopper, tea: Product, make_coupon: MakeCoupon
) -> None:
    """CO-2: who goes back from the payment page and orders anew keeps the coupon; the older order is called off."""
    coupon = make_coupon()
    shopper.put(tea, 2)
    form = shopper.form()
    page = shopper.send(form, action="update", code=coupon.code)
    shopper.send({**form, **hidden(page)})
    older = Order.objects.get()
    shopper.put(tea)
    page = shopper.client.get("/checkout/")
    assert hidden(page)["seen_total"] == "10.00"
    assert f"It is on your order {older.number}" in page.content.decode()
    newer = shopper.place()
    older.refresh_from_db()
    tea.refresh_from_db()
    assert (older.state, newer.coupon_codes, newer.total) == (OrderState.CANCELLED, [coupon.code], Money(10, "EUR"))
    assert (tea.stock, used(coupon)) == (9, 1)
    # The older order's payment page in another tab takes no money any more.
    assert shopper.pay(older)["Location"] == f"/thanks/order/{older.number}/"
    assert older.payments.get().state == Payment.State.FAILED
    shopper.pay(newer)
    assert coupon.redemptions.get(order_ref=newer.number).state == Redemption.State.REDEEMED
    assert staged(shopper.client.session) == []


def test_a_new_order_leaves_other_orders_alone(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """One without this coupon, one whose transfer is on its way, and one that could not be placed anew."""
    coupon = make_coupon()
    shopper.put(tea)
    plain = shopper.place()
    shopper.put(tea)
    shopper.send(shopper.form(), action="update", code=coupon.code)
    transfer = shopper.place(payment_method="bank")
    shopper.put(tea)
    page = shopper.send(shopper.form(), action="update", code=coupon.code)
    assert "This code is not valid" in page.content.decode()
    shopper.place()
    assert set(Order.objects.values_list("state", flat=True)) == {OrderState.PLACED}
    assert (used(coupon), transfer.coupon_codes, plain.coupon_codes) == (1, [coupon.code], [])


def test_an_order_that_fails_keeps_the_older_one(shopper: Shopper, tea: Product, make_coupon: MakeCoupon) -> None:
    """All in one transaction: if the new order is not placed, the older one still waits, with its coupon."""
    coupon = make_coupon()
    shopper.put(tea)
    shopper.send(shopper.form(), action="update", code=coupon.code)
    older = shopper.place()
    shopper.put(tea)
    form = shopper.form()
    Product.objects.update(price=Decimal("12.00"))
    assert shopper.send(form).status_code == 422
    older.refresh_from_db()
    assert (older.state, used(coupon)) == (OrderState.PLACED, 1)
    assert older.payments.get().state == Payment.State.PENDING
