"""What a follow-up's mail may speak of: today's shop, and nobody else's order."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail import blocks

from thankyou_flows.followups import facts
from thankyou_flows.rules import Facts, Rule, TotalRule, rules_hold
from thankyou_flows.stores.dummy import DummyStore
from thankyou_flows.values import OrderLine
from wishlists.models import Inquiry, ListItem, ProductList

from .conftest import ANN, buy, make_follow_up, make_product
from .test_stops import (
    change_order,
    euro,
    inquiry_message,
    item_message,
    later,
    list_message,
    order_message,
    plan_one,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("lines", [1, 20])
def test_the_facts_of_an_order_are_todays_and_cost_the_same_for_twenty_lines(lines: int, clock: Any) -> None:
    """OP-7: products come from the shop as they are now, in the order in which they were bought."""
    message = order_message()
    for n in range(lines):
        make_product(f"sku-{n}", euro(n + 1))
    change_order(
        lines=tuple(OrderLine(product_ref=f"sku-{n}", title="x", quantity=1, total=euro(1)) for n in range(lines))
    )
    with CaptureQueriesContext(connection) as queries:
        found = facts.gather(message, now=timezone.now())
    assert [product.ref for product in found.products] == [f"sku-{n}" for n in range(lines)]
    assert found.order is not None and found.first_name == found.order.first_name
    assert found.base_url == "https://shop.example" and found.shop_url == "https://shop.example/"
    assert found.unsubscribe_url.startswith("https://shop.example/")
    assert found.url == ""
    assert len(queries) == 0
    assert [name for name, _arguments in DummyStore.calls].count("get_products") == 1


def test_the_facts_of_what_is_not_about_an_order(clock: Any) -> None:
    """What a mail may speak of: the list, the product, the question; beside the customer's latest order."""
    now = timezone.now()
    item = item_message()
    buy(placed_at=later(days=-2))
    found = facts.gather(item, now=now)
    assert [product.ref for product in found.products] == ["tea"]
    assert (found.title, found.extra["event"].price, found.order.number) == ("Tea", euro(8), "T-1001")
    user = User.objects.get()
    row = ProductList.objects.create(owner=user, kind="wish", name="For May")
    ListItem.objects.create(list=row, product_ref="tea")
    make_follow_up("list_untouched")
    found = facts.gather(plan_one("list_untouched", str(row.pk), {}), now=now)
    assert (found.title, found.url.endswith(f"/lists/{row.key}/")) == ("For May", True)
    make_follow_up("question_answered")
    products = [{"product_ref": "tea", "title": "Tea", "url": "https://shop.example/tea/"}]
    inquiry = Inquiry.objects.create(email=ANN, name="<b>Win</b>", text="Green?", products=products)
    found = facts.gather(plan_one("question_answered", str(inquiry.pk), {}), now=now)
    assert (found.url, found.extra["inquiry"]) == ("https://shop.example/tea/", inquiry)
    assert "Win" not in found.first_name


def test_nobody_gets_the_facts_of_somebody_elses_order(clock: Any) -> None:
    """TY-3: an order whose address has changed since is not this person's any more."""
    message = order_message()
    change_order(email="bea@example.com", first_name="Bea")
    found = facts.gather(message, now=timezone.now())
    assert (found.order, found.products, found.first_name) == (None, (), "")
    assert facts.rule_facts(found).order is None


def test_what_was_deleted_leaves_the_facts_empty(clock: Any) -> None:
    """EM-9: a mail is written without it, or not at all; gathering does not break."""
    messages = [list_message(), inquiry_message()]
    make_follow_up("price_dropped")
    messages.append(plan_one("price_dropped", "0:0", {}))
    ProductList.objects.all().delete()
    Inquiry.objects.all().delete()
    for message in messages:
        found = facts.gather(message, now=timezone.now())
        assert (found.title, found.products) == ("", ())


class MondayRule(Rule):
    """A rule of a site's own, which looks at nothing but the day."""

    needs_order = False

    def matches(self, value: Any, facts: Facts) -> bool:
        return facts.now.weekday() == 0


def test_rules_that_need_an_order_do_not_hold_without_one(clock: Any) -> None:
    """EM-12: and those that need none decide for themselves."""

    class Rules(blocks.StreamBlock):
        monday = MondayRule()
        total = TotalRule()

    none = facts.facts_for_rules(order=None, now=timezone.now())
    total = {"type": "total", "value": {"at_least": None, "less_than": "1000"}}
    monday = {"type": "monday", "value": {}}
    assert rules_hold(Rules().to_python([]), none)
    assert rules_hold(Rules().to_python([monday]), none)
    assert not rules_hold(Rules().to_python([monday, total]), none)
    assert rules_hold(Rules().to_python([monday, total]), facts.facts_for_rules(order=buy(), now=timezone.now()))
    with pytest.raises(ValueError, match="no order"):
        none.known_order  # noqa: B018
