"""The coupon that unlocks when the customer tells a little more, on the thank-you page (CO-9)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from djmoney.money import Money

from coupons.codes import normalise
from coupons.facts import BasketFacts, BasketLine
from coupons.models import Answer, Campaign, Coupon, Question
from coupons.quoting import quote
from thankyou_flows.blocks import UnlockBlock
from thankyou_flows.links import make_order_link
from thankyou_flows.models import Subscription
from thankyou_flows.values import Order

from .conftest import MARKER, finish

pytestmark = pytest.mark.django_db

BOX = "And send me the letter."


@pytest.fixture
def campaign() -> Campaign:
    """Fifteen percent for two answers and one that may be left out."""
    campaign = Campaign.objects.create(
        title="Three answers",
        status=Campaign.Status.RUNNING,
        benefit=Campaign.Benefit.PERCENT,
        percent=Decimal(15),
        ask_text="Three short questions.",
        marketing_text=BOX,
    )
    rows = [
        {"label": "Favourite tea", "field_type": "radio", "choices": "Black\nGreen", "purpose": "To suggest more."},
        {"label": "Cups a day", "field_type": "number", "purpose": "To size the tins."},
        {"label": "Anything else", "field_type": "singleline", "required": False, "purpose": "We read it all."},
    ]
    campaign.questions = [Question(sort_order=order, **row) for order, row in enumerate(rows)]
    campaign.save()
    return campaign


@pytest.fixture
def page(make_page: Any, campaign: Campaign) -> Any:
    return make_page(body=[("unlock", {"heading": "May we ask you something?", "campaign": campaign})])


class Visitor:
    """A browser with the page, and what it can press there."""

    def __init__(self, client: Client, page: Any, number: str) -> None:
        self.client, self.page, self.number = client, page, number

    def show(self, url: str = "") -> str:
        return self.client.get(url or reverse("thankyou_flows:order", args=[self.number])).content.decode()

    def press(self, command: str, **answers: Any) -> Any:
        url = reverse("thankyou_flows:act", args=[self.page.pk, self.page.body[0].id])
        data = {f"answer-{name}": value for name, value in answers.items()}
        return self.client.post(url, {"order": self.number, "command": command, **data})


@pytest.fixture
def visitor(client: Client, page: Any, order: Order) -> Visitor:
    finish(client, order.number)
    return Visitor(client, page, order.number)


def test_what_it_is_worth_and_what_is_asked(visitor: Visitor) -> None:
    """CO-9: the benefit, every question with its reason and how long it is kept; no code yet."""
    body = visitor.show()
    assert Coupon.objects.get().state == Coupon.State.LOCKED
    assert Coupon.objects.get().display_code not in body
    for text in ("15% off", "Three short questions.", "Favourite tea", "To suggest more.", "To size the tins."):
        assert text in body
    assert body.count("We keep your answer for one year.") == 3
    assert "checked" not in body


def test_answers_unlock_and_the_box_decides_nothing(visitor: Visitor) -> None:
    """CO-9: without the newsletter's box the coupon unlocks all the same, and the checkout takes it."""
    response = visitor.press("answer", favourite_tea="Green", cups_a_day="4")
    assert response.status_code == 303
    body = visitor.show(response["Location"])
    coupon = Coupon.objects.get()
    assert coupon.state == Coupon.State.AVAILABLE
    assert coupon.display_code in body
    assert "The coupon is yours" in body
    assert {answer.question_name: answer.text for answer in Answer.objects.all()} == {
        "favourite_tea": "Green",
        "cups_a_day": "4",
    }
    assert not Subscription.objects.exists()
    line = BasketLine(ref="1", product_ref="sku-1", quantity=1, unit_price=Money(10, "EUR"))
    facts = BasketFacts(lines=(line,), shipping=Money(0, "EUR"), currency="EUR")
    assert quote(codes=[coupon.code], facts=facts).discount == Money("1.50", "EUR")


def test_the_box_asks_by_mail(visitor: Visitor, django_capture_on_commit_callbacks: Any) -> None:
    """CO-9, EM-1: the ticked box is a request that the address of the order confirms."""
    with django_capture_on_commit_callbacks(execute=True):
        visitor.press("answer", favourite_tea="Green", cups_a_day="4", agree_to_marketing="on")
    assert Subscription.objects.get().state != Subscription.State.CONFIRMED
    [letter] = mail.outbox
    assert letter.to == [f"{MARKER.lower()}@example.com"]
    assert BOX not in letter.body


def test_in_steps(visitor: Visitor) -> None:
    """CO-9: an answer that was given is kept, and only the rest is asked again."""
    response = visitor.press("answer", favourite_tea="Green")
    body = visitor.show(response["Location"])
    assert "that is kept" in body
    assert "Favourite tea" not in body
    assert "Cups a day" in body
    assert visitor.press("answer", cups_a_day="3").status_code == 303
    assert Coupon.objects.get().state == Coupon.State.AVAILABLE


@pytest.mark.parametrize("cups", ["many", "", "1e400", "\x00", "９" * 40], ids=["word", "empty", "huge", "nul", "wide"])
def test_a_wrong_answer_loses_nothing(visitor: Visitor, cups: str) -> None:
    """The form comes back with the error beside the field and what was typed."""
    response = visitor.press("answer", favourite_tea="Green" if cups else "", cups_a_day=cups, anything_else="")
    assert response.status_code == 422
    body = response.content.decode()
    assert re.search(r'class="ty-error" id="id_[^"]*cups_a_day_error"', body)
    assert ("checked" in body) is bool(cups)
    assert Coupon.objects.get().state == Coupon.State.LOCKED


def test_declining_is_one_press(visitor: Visitor) -> None:
    """CO-9: nothing is asked of who declines; a change of mind is welcome."""
    body = visitor.show(visitor.press("decline")["Location"])
    assert "that is fine" in body
    assert "Show the questions" in body
    assert not Answer.objects.exists()
    visitor.press("answer", favourite_tea="Black", cups_a_day="1")
    assert Coupon.objects.get().state == Coupon.State.AVAILABLE


def test_later_by_mail(visitor: Visitor, client: Client, django_capture_on_commit_callbacks: Any) -> None:
    """The link goes to the order's own address, once, and opens the questions in any browser."""
    with django_capture_on_commit_callbacks(execute=True):
        body = visitor.show(visitor.press("later")["Location"])
        again = visitor.show(visitor.press("later")["Location"])
    assert "The link is on its way" in body
    assert "mailed you the link already" in again
    [letter] = mail.outbox
    assert letter.to == [f"{MARKER.lower()}@example.com"]
    path = re.search(r"http://testserver(/\S+)", letter.body)
    assert path
    other = Client().get(path[1], follow=True)
    assert other.status_code == 200
    assert "Favourite tea" in other.content.decode()


def test_somebody_with_the_orders_link_may_answer(page: Any, order: Order, client: Client) -> None:
    """CO-9: the link in the order's mail proves possession; it shows no personal data and no known answers."""
    finish(client, order.number)
    other = Visitor(Client(), page, order.number)
    body = other.show(make_order_link(number=order.number))
    body = other.client.get(make_order_link(number=order.number), follow=True).content.decode()
    assert "Favourite tea" in body
    assert MARKER not in body
    assert other.press("answer", favourite_tea="Green", cups_a_day="2").status_code == 303
    assert Coupon.objects.get().state == Coupon.State.AVAILABLE


def test_a_stranger_gets_nothing(page: Any, order: Order, client: Client, visitor: Visitor) -> None:
    """CO-6, TY-2: without a right to the order the press changes nothing."""
    stranger = Visitor(Client(), page, order.number)
    stranger.press("answer", favourite_tea="Green", cups_a_day="2")
    assert Coupon.objects.get().state == Coupon.State.LOCKED
    assert not Answer.objects.exists()


def test_two_tabs(visitor: Visitor) -> None:
    """CO-9: the second press is a no-op that shows the coupon."""
    for _ in range(2):
        assert visitor.press("answer", favourite_tea="Green", cups_a_day="2").status_code == 303
    assert Coupon.objects.get().events.filter(kind="unlocked").count() == 1


def test_a_revoked_coupon_is_not_shown(visitor: Visitor) -> None:
    """CD-5: what the checkout would refuse is not offered."""
    Coupon.objects.update(state=Coupon.State.REVOKED)
    assert "Favourite tea" not in visitor.show()


def test_the_editor_is_told_of_a_campaign_that_asks_nothing(offer_campaign: Campaign) -> None:
    block = UnlockBlock()
    value = block.to_python({"heading": "", "campaign": offer_campaign.pk})
    with pytest.raises(ValidationError) as caught:
        block.clean(value)
    assert "asks no questions" in str(caught.value.block_errors["campaign"])  # type: ignore[attr-defined]


def test_the_preview_writes_nothing(page: Any, rf: Any) -> None:
    """CM-4: previews show the questions, and the coupon of a preview is nobody's."""
    response = page.make_preview_request(preview_mode="first_order")
    body = response.rendered_content if hasattr(response, "rendered_content") else response.content.decode()
    assert "Favourite tea" in body
    assert not Coupon.objects.exists()


def test_queries_do_not_grow_with_the_questions(
    visitor: Visitor, campaign: Campaign, django_assert_max_num_queries: Any
) -> None:
    """DESIGN §6: a page with a locked coupon costs a fixed number of queries, with 3 questions and with 20."""
    visitor.show()
    url = reverse("thankyou_flows:order", args=[visitor.number])
    with django_assert_max_num_queries(20) as few:
        visitor.client.get(url)
    for number in range(17):
        Question.objects.create(campaign=campaign, sort_order=number, label=f"More {number}", purpose="Why not.")
    with django_assert_max_num_queries(20) as many:
        visitor.client.get(url)
    assert len(few) == len(many)


def test_the_code_is_one_of_ours(visitor: Visitor) -> None:
    visitor.press("answer", favourite_tea="Green", cups_a_day="2")
    coupon = Coupon.objects.get()
    assert normalise(coupon.display_code) == coupon.code
