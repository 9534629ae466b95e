"""Done-when 7 of the coupons: our own field for codes, the unlock journey and the customer's coupons, on an Oscar shop."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from djmoney.money import Money

from coupons.issuing import issue
from coupons.links import unlock_path
from coupons.models import Campaign, Coupon, Question, Redemption
from thankyou_flows.stores.oscar import basket_facts

from .conftest import SHIPPING, model


@pytest.fixture
def make_coupon(shop: Any, django_capture_on_commit_callbacks: Any) -> Callable[..., Coupon]:
    def make(**fields: Any) -> Coupon:
        fields = {"title": "C", "status": "running", "benefit": "percent", "percent": Decimal(10), **fields}
        with django_capture_on_commit_callbacks(execute=True):
            return issue(campaign=Campaign.objects.create(**fields))

    return make


def order(customer: Any) -> Any:
    customer.preview()
    assert customer.place().status_code == 302
    return model("order.Order").objects.latest("pk")


# Our own field ------------------------------------------------------------------------------------


def test_typing_is_forgiven_in_our_own_field(
    customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]
) -> None:
    """Oscar's field wants every dash. What is entered here is on Oscar's basket at once."""
    coupon, ana = make_coupon(), customer()
    ana.add(product)
    typed = coupon.code.lower().replace("0", "o").replace("1", "l")
    response = ana.client.post(reverse("thankyou_coupons:apply"), {"code": f" {typed[:5]} {typed[5:]} "})
    assert response.status_code == 303
    assert "18.00" in ana.client.get(reverse("basket:summary")).content.decode()
    assert order(ana).total_incl_tax == Decimal("18.00") + SHIPPING
    assert Redemption.objects.get().coupon == coupon


def test_oscars_basket_and_our_own_page_agree(
    customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]
) -> None:
    """What is taken off in one place is off in the other, and does not come back with the next product."""
    coupon, ana = make_coupon(uses_per_coupon=2), customer()
    ours, code = reverse("thankyou_coupons:apply"), {"code": coupon.display_code}

    def are_on() -> tuple[bool, bool, bool]:
        """On Oscar's basket, on our page, in our API."""
        api = ana.client.get(reverse("thankyou_coupons:api")).json()
        vouchers = model("basket.Basket").objects.latest("pk").vouchers
        form = f'name="code" value="{coupon.code}"'
        return vouchers.exists(), form in ana.client.get(ours).content.decode(), bool(api["coupons"])

    ana.client.post(ours, code)
    ana.add(product)
    assert are_on() == (True, True, True)
    ana.client.post(reverse("thankyou_coupons:remove"), code)
    assert are_on() == (False, False, False)
    ana.client.post(reverse("thankyou_coupons:api"), code, content_type="application/json")
    assert are_on() == (True, True, True)
    voucher = model("voucher.Voucher").objects.get()
    ana.client.post(reverse("basket:vouchers-remove", args=[voucher.pk]))
    assert are_on() == (False, False, False)
    ana.add(product)
    assert are_on() == (False, False, False)
    ana.client.post(ours, code)
    assert order(ana).total_incl_tax == Decimal("36.00") + SHIPPING
    # It could be used once more; but nobody has asked for that.
    ana.add(product)
    assert are_on() == (False, False, False)


def test_the_basket_is_known_to_our_own_field(
    customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]
) -> None:
    coupon, ana = make_coupon(minimum_spend=Money("30.00", "EUR")), customer()
    ana.add(product)
    assert ana.client.post(reverse("thankyou_coupons:apply"), {"code": coupon.code}).status_code == 422
    ana.add(product)
    answer = ana.client.post(
        reverse("thankyou_coupons:api"), {"code": coupon.code}, content_type="application/json"
    ).json()
    assert answer["quote"] | {"lines": []} == {
        "currency": "EUR",
        "lines": [],
        "subtotal": "40.00",
        "discount": "4.00",
        "shipping": "4.90",
        "shipping_discount": "0.00",
        "total": "40.90",
    }


def test_a_link_with_a_code_changes_nothing_by_itself(
    customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]
) -> None:
    """CO-12."""
    coupon, ana = make_coupon(), customer()
    ana.add(product)
    response = ana.client.get(reverse("thankyou_coupons:apply"), {"coupon": coupon.display_code})
    assert coupon.display_code in response.content.decode()
    assert "oscar" in response.content.decode()
    assert order(ana).total_incl_tax == Decimal("20.00") + SHIPPING


# The unlock journey -------------------------------------------------------------------------------


@pytest.fixture
def asking(make_coupon: Callable[..., Coupon], django_capture_on_commit_callbacks: Any) -> Coupon:
    """A locked coupon of a campaign with one question."""
    campaign = Campaign.objects.create(title="Q", status="running", benefit="percent", percent=10)
    Question.objects.create(campaign=campaign, label="What do you drink?", field_type="singleline", required=True)
    with django_capture_on_commit_callbacks(execute=True):
        return issue(campaign=campaign)


def test_from_the_link_in_a_mail_to_the_order(customer: Callable[..., Any], product: Any, asking: Coupon) -> None:
    """CO-9. Before the answers Oscar does not even know the code."""
    ana = customer()
    ana.add(product)
    ana.type_code(asking.display_code)
    assert not model("voucher.Voucher").objects.exists()
    page = ana.client.get(unlock_path(asking), follow=True)
    assert "What do you drink?" in page.content.decode()
    [question] = Question.objects.all()
    address = reverse("thankyou_coupons:coupon", args=[asking.pk])
    with ana.capture(execute=True):
        ana.client.post(address, {"command": "answer", f"answer-{question.clean_name}": "Tea"})
    asking.refresh_from_db()
    assert asking.state == "available"
    ana.type_code(asking.display_code)
    assert order(ana).total_incl_tax == Decimal("18.00") + SHIPPING


def test_who_declines_has_no_voucher(customer: Callable[..., Any], asking: Coupon) -> None:
    ana = customer()
    ana.client.get(unlock_path(asking), follow=True)
    with ana.capture(execute=True):
        ana.client.post(reverse("thankyou_coupons:coupon", args=[asking.pk]), {"command": "decline"})
    assert not model("voucher.Voucher").objects.exists()


# Facts --------------------------------------------------------------------------------------------


def test_a_visitor_without_a_basket_has_an_empty_one(shop: Any) -> None:
    request: Any = RequestFactory().get("/")
    assert basket_facts(request) is None
    response = Client().get(reverse("thankyou_coupons:api"))
    assert response.json()["quote"] is None or response.json()["quote"]["total"] == "0.00"


def test_prices_after_the_shops_own_offers(customer: Callable[..., Any], make_product: Callable[..., Any]) -> None:
    """A rest that cannot be divided by the quantity is kept to the cent."""
    everything = model("offer.Range").objects.create(name="Everything", includes_all_products=True)
    model("offer.ConditionalOffer").objects.create(
        name="Sale",
        exclusive=False,
        condition=model("offer.Condition").objects.create(type="Count", value=1, range=everything),
        benefit=model("offer.Benefit").objects.create(type="Absolute", value=1, range=everything),
        max_basket_applications=1,
    )
    ana = customer()
    ana.add(make_product(price="10.00"), quantity=3)
    facts = basket_facts(ana.client.get(reverse("basket:summary")).wsgi_request)
    assert facts is not None
    assert facts.subtotal == Money("29.00", "EUR")
    assert sorted((line.quantity, line.unit_price.amount) for line in facts.lines) == [
        (1, Decimal("9.66")),
        (2, Decimal("9.67")),
    ]


def test_a_coupon_on_top_of_the_shops_sale(
    customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]
) -> None:
    """An offer of the shop's that shares its goods, and comes first by its priority: ten percent of the rest."""
    everything = model("offer.Range").objects.create(name="Everything", includes_all_products=True)
    sale = model("offer.ConditionalOffer").objects.create(
        name="Sale",
        exclusive=False,
        priority=10,
        condition=model("offer.Condition").objects.create(type="Count", value=1, range=everything),
        benefit=model("offer.Benefit").objects.create(type="Percentage", value=50, range=everything),
    )
    coupon = make_coupon()
    assert (
        customer("a@example.com").order(product, code=coupon.display_code).total_incl_tax == Decimal("9.00") + SHIPPING
    )
    sale.exclusive = True
    sale.save()
    other = make_coupon()
    assert (
        customer("b@example.com").order(product, code=other.display_code).total_incl_tax == Decimal("10.00") + SHIPPING
    )
    assert Coupon.objects.get(pk=other.pk).used == 0


def test_reading_a_basket_costs_the_same_for_any_number_of_lines(
    customer: Callable[..., Any], make_product: Callable[..., Any], django_assert_max_num_queries: Any
) -> None:
    """OP-7."""
    from django.db import connection

    counts = []
    for lines in (1, 20):
        ana = customer()
        for number in range(lines):
            product = make_product(title=f"T{number}")
            category = model("catalogue.Category").add_root(name=f"C{lines}-{number}", slug=f"c{lines}-{number}")
            model("catalogue.ProductCategory").objects.create(product=product, category=category)
            ana.add(product)
        request = ana.client.get(reverse("basket:summary")).wsgi_request
        with CaptureQueriesContext(connection) as queries:
            basket_facts(request)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 6
