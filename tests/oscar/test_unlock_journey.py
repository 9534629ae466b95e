"""Issue 3, done-when 7: a coupon for a few answers, from Oscar's checkout to Oscar's checkout. The shop is an unmodified
Oscar; what is checked is what the customer pays and what our own books say of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.http import HttpResponse
from django.urls import reverse
from djmoney.money import Money

from coupons.codes import display, generate
from coupons.events import CUSTOMER
from coupons.holders import customer_key
from coupons.models import Answer, Campaign, Coupon, CouponEvent, Question, Redemption
from coupons.revoking import revoke
from thankyou_flows.pages.models import ThankYouPage

from .conftest import NOW, SHIPPING, Customer, model
from .test_undoing import set_status

#: What twenty percent are worth of the one product of these tests, which costs 20.00.
SAVED = Decimal("4.00")
ANSWERS = {"what_do_you_drink": "Green", "how_many_cups": "4"}


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def campaign(shop: Any) -> Campaign:
    """Twenty percent for two answers, for an hour from then on. A third question may be left out."""
    campaign = Campaign.objects.create(
        title="Cup questions",
        status="running",
        benefit="percent",
        percent=20,
        deadline_minutes=60,
        ask_text="Three questions about your cup.",
        give_back="refunded",
    )
    for label, kind, required in (
        ("What do you drink?", "radio", True),
        ("How many cups?", "number", True),
        ("Anything else?", "multiline", False),
    ):
        choices = "Black\nGreen" if kind == "radio" else ""
        Question.objects.create(
            campaign=campaign, label=label, field_type=kind, choices=choices, required=required, purpose="To know you."
        )
    return campaign


@pytest.fixture
def unlock_page(shop: Any, campaign: Campaign) -> ThankYouPage:
    body = [("status", {}), ("unlock", {"heading": "May we ask?", "campaign": campaign}), ("summary", {})]
    return shop.add_child(instance=ThankYouPage(title="Thank you", slug="thank-you", body=body))


@dataclass
class Visit:
    """A customer who has ordered once, and the thank-you page of that order."""

    customer: Customer
    page: ThankYouPage
    order: Any

    @property
    def coupon(self) -> Coupon:
        key = f"order:{self.order.number}:campaign:"
        return Coupon.objects.select_related("campaign").get(issue_key__startswith=key)

    @property
    def html(self) -> str:
        response = self.customer.client.get(reverse("thankyou_flows:order", args=[self.order.number]))
        assert response.status_code == 200
        return response.content.decode()

    def press(self, command: str, **answers: str) -> HttpResponse:
        """Press a button of the block, with these answers filled in."""
        [block] = [child for child in self.page.body if child.block_type == "unlock"]
        data = {f"answer-{name}": text for name, text in answers.items()}
        with self.customer.capture(execute=True):
            return self.customer.client.post(
                reverse("thankyou_flows:act", args=[self.page.pk, block.id]),
                {"order": self.order.number, "command": command, **data},
                headers={"sec-fetch-site": "same-origin"},
            )

    def unlock(self) -> Coupon:
        assert self.press("answer", **ANSWERS).status_code == 303
        return self.coupon


@pytest.fixture
def visit(customer: Callable[..., Customer], product: Any, unlock_page: ThankYouPage) -> Callable[..., Visit]:
    """Let a customer order, and be on the thank-you page: ``visit("ana@example.com")``."""

    def make(email: str = "ana@example.com", *, user: Any = None) -> Visit:
        someone = customer(email, user=user)
        return Visit(someone, unlock_page, someone.order(product))

    return make


def saved(order: Any) -> Decimal:
    """Return what the order was cheaper by, as Oscar has written it down."""
    [*discounts] = order.discounts.all()
    assert sum((each.amount for each in discounts), Decimal(0)) == order.total_before_discounts_incl_tax - (
        order.total_incl_tax
    )
    return order.basket_total_before_discounts_incl_tax + SHIPPING - order.total_incl_tax


# Three customers ----------------------------------------------------------------------------------


def test_on_the_thank_you_page(visit: Callable[..., Visit], product: Any) -> None:
    """CO-9, CO-10: the answers unlock, Oscar's own field takes the code, and the use is in our books with its amounts."""
    ana = visit()
    assert "20% off" in ana.html
    assert ana.coupon.display_code not in ana.html
    coupon = ana.unlock()
    assert coupon.display_code in ana.html
    assert (coupon.state, coupon.ends_at) == ("available", NOW + timedelta(minutes=60))
    assert set(Answer.objects.values_list("question_name", flat=True)) == set(ANSWERS)

    order = ana.customer.order(product, code=coupon.display_code)
    assert saved(order) == SAVED
    assert order.total_incl_tax == Decimal("16.00") + SHIPPING
    assert [each.voucher_code for each in order.discounts.all()] == [coupon.display_code]
    use = Redemption.objects.get()
    assert (use.coupon, use.order_ref, use.state) == (coupon, order.number, "redeemed")
    assert (use.discount, use.shipping_discount) == (Money(SAVED, "EUR"), Money(0, "EUR"))
    assert use.customer_key == customer_key("ana@example.com") == coupon.holder_key
    kinds = CouponEvent.objects.filter(coupon=coupon).order_by("pk").values_list("kind", "actor")
    assert [*kinds] == [
        ("issued", "system"),
        ("unlocked", CUSTOMER),
        ("reserved", "shop"),
        ("redeemed", "shop"),
    ]
    call_command("verify_coupons")


def test_the_next_order_asks_what_is_not_known_yet(visit: Callable[..., Visit], product: Any) -> None:
    """CO-9: an answer is given once. The second coupon wants one press."""
    ana = visit()
    ana.unlock()
    again = Visit(ana.customer, ana.page, ana.customer.order(product))
    assert "What do you drink?" not in again.html
    assert again.press("answer").status_code == 303
    assert again.coupon.state == "available"
    assert Answer.objects.count() == len(ANSWERS)


def test_from_the_mail_in_another_browser(
    visit: Callable[..., Visit], customer: Callable[..., Customer], product: Any
) -> None:
    """The button mails the link to the order's address; a browser without any cookie answers, in two steps."""
    ana = visit()
    mail.outbox.clear()
    assert ana.press("later").status_code == 303
    [message] = mail.outbox
    assert message.to == ["ana@example.com"]
    elsewhere = customer("ana@example.com")
    found = re.search(r"https?://\S+/unlock/\S+", message.body)
    assert found
    page = elsewhere.client.get(urlsplit(found[0]).path, follow=True)
    assert "How many cups?" in page.content.decode()
    address = page.request["PATH_INFO"]
    names = [*ANSWERS]
    first = elsewhere.client.post(address, {"command": "answer", f"answer-{names[0]}": ANSWERS[names[0]]})
    assert first.status_code == 422
    assert not model("voucher.Voucher").objects.exists()
    with elsewhere.capture(execute=True):
        second = elsewhere.client.post(address, {"command": "answer", f"answer-{names[1]}": ANSWERS[names[1]]})
    assert second.status_code == 302
    coupon = ana.coupon
    assert coupon.display_code in elsewhere.client.get(address).content.decode()
    assert saved(elsewhere.order(product, code=coupon.display_code)) == SAVED
    assert Redemption.objects.get().customer_key == customer_key("ana@example.com")


def test_who_declines_orders_as_before(visit: Callable[..., Visit], product: Any) -> None:
    """CO-9: one press, nothing kept, no voucher; and a change of mind is welcome."""
    ana = visit()
    assert ana.press("decline").status_code == 303
    assert "and that is fine" in ana.html
    assert not Answer.objects.exists()
    assert not model("voucher.Voucher").objects.exists()
    assert saved(ana.customer.order(product, code=ana.coupon.display_code)) == 0
    ana.unlock()
    assert saved(ana.customer.order(product, code=ana.coupon.display_code)) == SAVED


def test_somebody_with_an_account(visit: Callable[..., Visit], make_user: Callable[..., Any], product: Any) -> None:
    berta = visit(user=make_user())
    coupon = berta.unlock()
    assert saved(berta.customer.order(product, code=coupon.display_code)) == SAVED
    assert Redemption.objects.get().customer_key == customer_key("berta@example.com")


# Before, and no more --------------------------------------------------------------------------------


def test_oscar_does_not_know_a_locked_code(
    visit: Callable[..., Visit], customer: Callable[..., Customer], product: Any
) -> None:
    """CO-6: before the answers, in Oscar's field as in ours, the code is one that does not exist."""
    ana = visit()
    code = ana.coupon.display_code
    bor = customer("bor@example.com")
    bor.add(product)
    bor.client.get(reverse("basket:summary"))
    invented = display(generate())
    said = {
        re.sub(r'(csrfmiddlewaretoken" value=")[^"]*|' + typed, "", bor.type_code(typed).content.decode())
        for typed in (code, invented)
    }
    assert len(said) == 1
    assert bor.client.post(reverse("thankyou_coupons:apply"), {"code": code}).status_code == 422
    assert not model("basket.Basket").objects.latest("pk").vouchers.exists()
    assert saved(bor.order(product)) == 0
    assert not Redemption.objects.exists()


def test_half_of_the_answers_unlock_nothing(visit: Callable[..., Visit], product: Any) -> None:
    ana = visit()
    assert ana.press("answer", how_many_cups="4").status_code == 303
    assert ana.press("answer", what_do_you_drink="Petrol").status_code == 422
    assert ana.coupon.state == "locked"
    assert not model("voucher.Voucher").objects.exists()
    assert ana.press("answer", what_do_you_drink="Green").status_code == 303
    assert saved(ana.customer.order(product, code=ana.coupon.display_code)) == SAVED


def test_the_deadline_counts_from_the_answers(visit: Callable[..., Visit], product: Any, clock: Any) -> None:
    """CD-2: however late they come; then it ends for Oscar too, after the grace."""
    ana, bor = visit(), visit("bor@example.com")
    clock.move_to(NOW + timedelta(days=3))
    ends = NOW + timedelta(days=3, minutes=60)
    codes = [each.unlock().display_code for each in (ana, bor)]
    assert {each.coupon.ends_at for each in (ana, bor)} == {ends}
    clock.move_to(ends + timedelta(seconds=60))
    assert saved(ana.customer.order(product, code=codes[0])) == SAVED
    clock.move_to(ends + timedelta(seconds=91))
    assert saved(bor.customer.order(product, code=codes[1])) == 0
    assert Redemption.objects.count() == 1


def test_more_time(visit: Callable[..., Visit], product: Any, clock: Any) -> None:
    """AX-2: whoever asks for more time has it in Oscar's checkout."""
    ana = visit()
    ana.unlock()
    assert ana.press("extend").status_code == 303
    clock.move_to(NOW + timedelta(minutes=119))
    assert saved(ana.customer.order(product, code=ana.coupon.display_code)) == SAVED


def test_a_coupon_that_was_taken_back(visit: Callable[..., Visit], product: Any) -> None:
    """Before the answers it cannot be unlocked any more; afterwards it leaves a basket that has it, unpaid."""
    ana, bor = visit(), visit("bor@example.com")
    with ana.customer.capture(execute=True):
        revoke(coupon=ana.coupon, actor="system", reason="a mistake")
    ana.press("answer", **ANSWERS)
    assert ana.coupon.state == "revoked"
    assert not model("voucher.Voucher").objects.exists()

    code = bor.unlock().display_code
    bor.customer.add(product)
    assert "16.00" in bor.customer.type_code(code).content.decode()
    bor.customer.preview()
    with bor.customer.capture(execute=True):
        revoke(coupon=bor.coupon, actor="system", reason="a mistake")
    assert "Nothing has been charged" in bor.customer.place().content.decode()
    assert bor.customer.place().status_code == 302
    assert saved(model("order.Order").objects.latest("pk")) == 0
    assert not Redemption.objects.exists()


# Cancelled and refunded -----------------------------------------------------------------------------


@pytest.mark.parametrize("give_back", ["never", "cancelled", "refunded"])
@pytest.mark.parametrize("status", ["Cancelled", "Refunded"])
def test_the_use_comes_back_as_the_campaign_says(
    visit: Callable[..., Visit], campaign: Campaign, product: Any, give_back: str, status: str
) -> None:
    """CO-1: exactly once, and then the same code works in the next order."""
    campaign.give_back = give_back
    campaign.save()
    ana = visit()
    code = ana.unlock().display_code
    order = ana.customer.order(product, code=code)
    set_status(ana.customer, order, status, status)
    comes_back = give_back == "refunded" or (give_back, status) == ("cancelled", "Cancelled")
    assert ana.coupon.used == (not comes_back)
    assert saved(ana.customer.order(product, code=code)) == (SAVED if comes_back else 0)
    assert saved(ana.customer.order(product, code=code)) == 0
    call_command("verify_coupons")


# The other kinds ------------------------------------------------------------------------------------


def test_a_product_for_free(
    visit: Callable[..., Visit], campaign: Campaign, make_product: Callable[..., Any], product: Any
) -> None:
    """One piece of it, in Oscar's own checkout, and nothing of the other goods."""
    biscuit = make_product(title="Biscuit", price="3.50")
    campaign.benefit, campaign.percent, campaign.free_product_ref = "free_product", None, str(biscuit.pk)
    campaign.save()
    ana = visit()
    code = ana.unlock().display_code
    assert saved(ana.customer.order(product, code=code)) == 0
    ana.customer.add(product)
    assert saved(ana.customer.order(biscuit, quantity=2, code=code)) == Decimal("3.50")
    assert Redemption.objects.get().discount == Money("3.50", "EUR")


@pytest.fixture
def word(product: Any, make_product: Callable[..., Any], django_capture_on_commit_callbacks: Any) -> Any:
    """TEA-WEEK: ten percent off tea, from 30.00 on, once for each customer, twice in all. Returns a cup, which is no tea."""
    category = model("catalogue.Category").add_root(name="Tea", slug="tea")
    model("catalogue.ProductCategory").objects.create(product=product, category=category)
    with django_capture_on_commit_callbacks(execute=True):
        Campaign.objects.create(
            title="Tea week",
            status="running",
            benefit="percent",
            percent=10,
            code_type="word",
            word="TEAWEEK",
            total_limit=2,
            limit_per_customer=1,
            minimum_spend=Money(30, "EUR"),
            categories_in=[str(category.pk)],
        )
    return make_product(title="Cup", price="30.00")


def test_a_word_with_all_its_conditions(customer: Callable[..., Customer], product: Any, word: Any) -> None:
    """CO-8, CO-10: goods, minimum spend, once for a customer whatever the spelling of the address, twice in all."""
    assert saved(customer("ana@example.com").order(product, code="teaweek")) == 0, "20.00 are too little"
    assert saved(customer("ana@example.com").order(word, code="TEAWEEK")) == 0, "a cup is no tea"
    assert saved(customer("ana@example.com").order(product, quantity=2, code="TeaWeek")) == SAVED
    again = customer("Ana@Example.com")
    again.add(product, 2)
    again.type_code("TEAWEEK")
    again.preview()
    assert "Nothing has been charged" in again.place().content.decode()
    assert again.place().status_code == 302
    assert saved(model("order.Order").objects.latest("pk")) == 0
    bor = customer("bor@example.com")
    bor.add(word)
    assert saved(bor.order(product, quantity=2, code="TEAWEEK")) == SAVED, "of the tea only"
    assert saved(customer("cene@example.com").order(product, quantity=2, code="TEAWEEK")) == 0, "the third is too late"
    uses = Redemption.objects.redeemed().order_by("pk")
    assert [use.customer_key for use in uses] == [customer_key(f"{name}@example.com") for name in ("ana", "bor")]
    call_command("verify_coupons")


def test_a_cancelled_order_makes_room_for_the_next_customer(
    customer: Callable[..., Customer], product: Any, word: Any
) -> None:
    """The limits of a campaign get their uses back with the coupon's: in all, and for each customer."""
    ana, bor = customer("ana@example.com"), customer("bor@example.com")
    first = ana.order(product, quantity=2, code="TEAWEEK")
    assert saved(bor.order(product, quantity=2, code="TEAWEEK")) == SAVED
    set_status(ana, first, "Cancelled")
    assert saved(customer("ANA@example.com").order(product, quantity=2, code="TEAWEEK")) == SAVED
    assert saved(customer("cene@example.com").order(product, quantity=2, code="TEAWEEK")) == 0
    call_command("verify_coupons")
