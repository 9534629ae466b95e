"""What a campaign asks of an order holds in Oscar's own basket and checkout: every condition, and coupons together."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from djmoney.money import Money

from coupons.holders import customer_key
from coupons.models import Campaign, Coupon, Redemption

from .conftest import ADDRESS, SHIPPING, model


@pytest.fixture
def teas(make_product: Callable[..., Any]) -> dict[str, Any]:
    """Green tea, which is in "Tea > Green", and a cup that is in no category."""
    category = model("catalogue.Category")
    tea = category.add_root(name="Tea", slug="tea")
    green = tea.add_child(name="Green", slug="green")
    sencha, cup = make_product(title="Sencha", price="10.00"), make_product(title="Cup", price="30.00")
    model("catalogue.ProductCategory").objects.create(product=sencha, category=green)
    return {"tea": tea, "green": green, "sencha": sencha, "cup": cup}


def off(order: Any) -> Decimal:
    return sum(
        (line.line_price_before_discounts_incl_tax - line.line_price_incl_tax for line in order.lines.all()), Decimal(0)
    )


def buy(customer: Any, *products: Any, codes: tuple[str, ...] = ()) -> Any:
    for product in products:
        customer.add(product)
    for code in codes:
        customer.type_code(code)
    customer.preview()
    assert customer.place().status_code == 302
    return model("order.Order").objects.latest("pk")


# For which goods ----------------------------------------------------------------------------------


def test_a_minimum_spend(customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]) -> None:
    coupon = make_coupon(minimum_spend=Money("30.00", "EUR"))
    assert off(customer("a@example.com").order(product, code=coupon.display_code)) == 0
    assert off(customer("b@example.com").order(product, quantity=2, code=coupon.display_code)) == Decimal("4.00")


@pytest.mark.parametrize(
    ("field", "name", "expected"),
    [
        ("products_in", "sencha", "1.00"),
        ("products_out", "sencha", "3.00"),
        ("categories_in", "green", "1.00"),
        ("categories_in", "tea", "1.00"),
        ("categories_out", "tea", "3.00"),
    ],
)
def test_only_some_goods_get_cheaper(
    customer: Callable[..., Any],
    teas: dict[str, Any],
    make_coupon: Callable[..., Coupon],
    field: str,
    name: str,
    expected: str,
) -> None:
    """Who is for "Tea" is for "Tea > Green"."""
    coupon = make_coupon(**{field: [str(teas[name].pk)]})
    order = buy(customer(), teas["sencha"], teas["cup"], codes=(coupon.display_code,))
    assert off(order) == Decimal(expected)
    assert Redemption.objects.get().discount == Money(expected, "EUR")


def test_nothing_in_the_basket_matches(
    customer: Callable[..., Any], teas: dict[str, Any], make_coupon: Callable[..., Coupon]
) -> None:
    coupon = make_coupon(benefit="free_shipping", products_in=[str(teas["sencha"].pk)])
    assert customer().order(teas["cup"], code=coupon.display_code).shipping_incl_tax == SHIPPING


def test_goods_that_are_never_discounted(
    customer: Callable[..., Any], make_product: Callable[..., Any], make_coupon: Callable[..., Coupon]
) -> None:
    """Oscar's own flag. They count for a minimum spend, and an amount goes to the other goods in full."""
    card, tea = make_product(title="Gift card", price="50.00", is_discountable=False), make_product(price="20.00")
    coupon = make_coupon(benefit="amount", amount=Money("5.00", "EUR"), minimum_spend=Money("60.00", "EUR"))
    order = buy(customer(), card, tea, codes=(coupon.display_code,))
    assert {line.title: line.line_price_incl_tax for line in order.lines.all()} == {
        "Gift card": Decimal("50.00"),
        "Tea": Decimal("15.00"),
    }


def test_a_product_for_free(
    customer: Callable[..., Any], teas: dict[str, Any], make_coupon: Callable[..., Coupon]
) -> None:
    coupon = make_coupon(benefit="free_product", free_product_ref=str(teas["sencha"].pk))
    assert off(customer("a@example.com").order(teas["cup"], code=coupon.display_code)) == 0
    assert off(customer("b@example.com").order(teas["sencha"], quantity=3, code=coupon.display_code)) == Decimal(
        "10.00"
    )


def test_lines_and_discount_agree_to_the_cent(
    customer: Callable[..., Any], make_product: Callable[..., Any], make_coupon: Callable[..., Coupon]
) -> None:
    """CO-4. Oscar's own percentage takes 4.49 in the sum and 4.50 off the lines of this basket."""
    goods = [make_product(title=f"T{number}", price="9.99") for number in range(3)]
    coupon = make_coupon(percent=Decimal(15))
    order = buy(customer(), *goods, codes=(coupon.display_code,))
    assert off(order) == Decimal("4.50")
    assert [discount.amount for discount in order.discounts.all()] == [Decimal("4.50")]
    assert order.total_incl_tax == Decimal("29.97") - Decimal("4.50") + SHIPPING
    assert Redemption.objects.get().discount == Money("4.50", "EUR")


# Together -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("turned", [False, True], ids=["percent-first", "amount-first"])
def test_two_coupons_give_the_same_in_whatever_order_they_are_typed(
    customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon], turned: bool
) -> None:
    codes = [
        make_coupon().display_code,
        make_coupon(benefit="amount", amount=Money("5.00", "EUR")).display_code,
        make_coupon(benefit="free_shipping").display_code,
    ]
    order = buy(customer(), product, codes=tuple(reversed(codes) if turned else codes))
    assert order.total_incl_tax == Decimal("13.00")
    saved = sorted(use.discount.amount + use.shipping_discount.amount for use in Redemption.objects.all())
    assert saved == [Decimal("2.00"), SHIPPING, Decimal("5.00")]


def test_a_coupon_that_stands_alone(
    customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]
) -> None:
    """The one that was typed first stays."""
    alone, other = make_coupon(combinable=False), make_coupon(benefit="amount", amount=Money("5.00", "EUR"))
    order = buy(customer(), product, codes=(other.display_code, alone.display_code))
    assert off(order) == Decimal("5.00")
    assert [use.coupon for use in Redemption.objects.all()] == [other]


def test_two_free_shippings_do_not_use_up_each_other(
    customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]
) -> None:
    codes = [make_coupon(benefit="free_shipping").display_code for _ in range(2)]
    order = buy(customer(), product, codes=tuple(codes))
    assert order.shipping_incl_tax == 0
    assert Redemption.objects.get().shipping_discount == Money(SHIPPING, "EUR")
    assert Coupon.objects.filter(used=0).count() == 1


# For whom -----------------------------------------------------------------------------------------


def test_first_orders_only(customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]) -> None:
    """A guest's basket is quoted in good faith, and decided as soon as the address is known."""
    coupon = make_coupon(audience="first")
    customer("ana@example.com").order(product)
    ana = customer("Ana@Example.com")
    ana.add(product)
    assert "does not qualify" not in ana.type_code(coupon.display_code).content.decode()
    assert model("basket.Basket").objects.latest("pk").vouchers.count() == 1
    assert "2.00" not in ana.preview().content.decode()
    assert "can no longer be used" in ana.place().content.decode()
    assert ana.place().status_code == 302
    assert off(model("order.Order").objects.latest("pk")) == 0
    assert off(customer("bor@example.com").order(product, code=coupon.display_code)) == Decimal("2.00")


def test_returning_customers_only(
    customer: Callable[..., Any], product: Any, make_user: Callable[..., Any], make_coupon: Callable[..., Coupon]
) -> None:
    """An order that was cancelled makes nobody a customer."""
    coupon, berta = make_coupon(audience="returning"), make_user()
    assert off(customer(user=berta).order(product, code=coupon.display_code)) == 0
    first = model("order.Order").objects.latest("pk")
    with customer().capture(execute=True):
        first.set_status("Cancelled")
    assert off(customer(user=berta).order(product, code=coupon.display_code)) == 0
    assert off(customer(user=berta).order(product, code=coupon.display_code)) == Decimal("2.00")


def test_deliveries_to_some_countries(
    customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]
) -> None:
    coupon, other = make_coupon(countries=["SI", "AT"]), make_coupon(countries=["DE"])
    assert ADDRESS["country"] == "SI"
    ana = customer()
    ana.add(product)
    ana.type_code(other.display_code)
    ana.preview()
    assert ana.place().status_code == 200
    assert ana.place().status_code == 302
    assert off(model("order.Order").objects.latest("pk")) == 0
    assert off(customer().order(product, code=coupon.display_code)) == Decimal("2.00")


def test_a_personal_coupon(customer: Callable[..., Any], product: Any, make_coupon: Callable[..., Coupon]) -> None:
    coupon = make_coupon(personal=True, holder_key=customer_key("ana@example.com"))
    bor = customer("bor@example.com")
    bor.add(product)
    bor.type_code(coupon.display_code)
    bor.preview()
    assert bor.place().status_code == 200
    assert bor.place().status_code == 302
    assert not Redemption.objects.exists()
    assert off(customer("ANA@example.com").order(product, code=coupon.display_code)) == Decimal("2.00")


# How often ----------------------------------------------------------------------------------------


def test_a_word_with_limits(
    customer: Callable[..., Any], product: Any, django_capture_on_commit_callbacks: Any
) -> None:
    """CO-8, CO-10: typed as it is, in any case; once for each customer, guests too; twice in all."""
    with django_capture_on_commit_callbacks(execute=True):
        Campaign.objects.create(
            title="Spring",
            status="running",
            benefit="percent",
            percent=10,
            code_type="word",
            word="Spring10",
            total_limit=2,
            limit_per_customer=1,
        )
    assert off(customer("ana@example.com").order(product, code="spring10")) == Decimal("2.00")
    again = customer("ANA@example.com")
    again.add(product)
    again.type_code("SPRING10")
    again.preview()
    assert again.place().status_code == 200
    assert off(customer("bor@example.com").order(product, code=" Spring10 ")) == Decimal("2.00")
    assert off(customer("cene@example.com").order(product, code="SPRING10")) == 0
    assert Redemption.objects.redeemed().count() == 2
    assert not Redemption.objects.filter(over_limit=True).exists()
