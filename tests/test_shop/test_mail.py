"""The example shop's mails: what the order confirmation says of offers, and the box at the checkout."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from coupons.models import Campaign, Coupon
from example_site.shop import orders
from example_site.shop.mail import build_confirmation
from example_site.shop.models import Order, Product
from example_site.shop.store import ExampleStore
from thankyou_flows.models import Message, OrderRecord, Suppression
from thankyou_flows.promises import give
from thankyou_flows.values import Objection

from .conftest import Shopper


def promise(order: Order) -> Coupon:
    """Give the paid order free shipping for an hour, as its thank-you page would."""
    orders.mark_paid(order=order)
    campaign = Campaign.objects.create(
        title="Test",
        status=Campaign.Status.RUNNING,
        benefit=Campaign.Benefit.FREE_SHIPPING,
        deadline_minutes=60,
    )
    store = ExampleStore()
    coupon = give(order=store.get_order(number=order.number), campaign=campaign, store=store, now=timezone.now())
    assert coupon is not None
    return coupon


def test_the_confirmation_says_the_offer_and_its_end(shopper: Shopper, tea: Product) -> None:
    """Issue 5: a shop's own order confirmation can include "your offer runs until …"."""
    shopper.put(tea)
    order = shopper.place()
    coupon = promise(order)
    order.refresh_from_db()
    assert order.objection == Objection.OFFERED
    written = build_confirmation(order=order)
    for text in (written.text, written.html):
        assert "Free shipping" in text
        assert coupon.display_code in text


def test_who_objected_gets_a_confirmation_without_advertising(shopper: Shopper, tea: Product) -> None:
    """EM-11: an offer would make it an advertisement, too."""
    shopper.put(tea)
    order = shopper.place(no_follow_ups="on")
    coupon = promise(order)
    order.refresh_from_db()
    written = build_confirmation(order=order)
    assert order.number in written.subject
    for text in (written.text, written.html):
        assert "Free shipping" not in text
        assert coupon.display_code not in text


def test_an_objection_at_the_checkout_lasts(shopper: Shopper, tea: Product, django_capture_on_commit_callbacks) -> None:
    """EM-11: it is kept with the order, and for later orders whose box was not ticked."""
    shopper.put(tea)
    with django_capture_on_commit_callbacks(execute=True):
        order = shopper.place(no_follow_ups="on")
    record = OrderRecord.objects.get(number=order.number)
    assert record.objection == Objection.USED
    assert Suppression.objects.of(record.customer_key).get().scope == Suppression.FOLLOW_UPS


def test_the_box_at_the_checkout_asks_by_mail(
    shopper: Shopper, tea: Product, settings, django_capture_on_commit_callbacks
) -> None:
    """EM-3, EM-4: the box is not ticked beforehand, and ticking it sends the question, not the letter."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "MIN_FILL_SECONDS": 0}
    shopper.put(tea)
    page = shopper.client.get(reverse("shop:checkout")).content.decode()
    assert 'name="newsletter"' in page
    assert "checked" not in page.split('name="newsletter"')[1].split(">")[0]
    shown = re.search(r'name="newsletter_shown" value="([^"]+)"', page)
    assert shown
    with django_capture_on_commit_callbacks(execute=True):
        shopper.place(newsletter="on", newsletter_shown=shown[1])
    assert Message.objects.get(reason="sign_up").state == Message.State.SENT
    assert any("confirm" in message.subject for message in mail.outbox)


@pytest.mark.django_db
def test_the_guide_is_for_those_who_are_signed_in(client) -> None:
    assert client.get(reverse("shop:guide")).status_code in {302, 405}
    assert client.post(reverse("shop:guide")).status_code == 302
