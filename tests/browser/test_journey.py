"""The journey of a guest: two orders, and in between an offer that the checkout honours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from djmoney.money import Money
from playwright.sync_api import expect

from coupons.models import Redemption

from .journey import NEARLY_AN_HOUR, PERSONAL, Keyboard, Mouse, Shopper, cookie_names
from .watching import Watch

WAYS: dict[str, tuple[type, dict[str, Any]]] = {
    "mouse": (Mouse, {}),
    "keyboard": (Keyboard, {}),
    "no-script": (Mouse, {"javascript": False}),
}
FREE = Money(0, "EUR")
STANDARD = Money("4.90", "EUR")


@pytest.fixture(params=WAYS)
def shopper(request: pytest.FixtureRequest, context: Callable[..., Any]) -> Shopper:
    hands, options = WAYS[request.param]
    return Shopper(context(**options).new_page(), hands())


def count_rows() -> dict[str, int]:
    """Return how many rows each table of the database has."""
    counts = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")
            counts[table] = cursor.fetchone()[0]
    return counts


def test_an_order_earns_free_shipping_for_the_next(shopper: Shopper) -> None:
    """The whole journey: browse, fill the cart, pay as a guest, use the offer of the thank-you page in time."""
    page = shopper.page
    before = count_rows()
    shopper.open("/")
    shopper.take("Tea", "Earl Grey")
    shopper.take("Sweet things", "Butter Shortbread")
    assert cookie_names(page.context) == {"cart"}
    shopper.go_to_cart()
    expect(page.locator(".ty-line")).to_have_count(2)
    assert count_rows() == before, "A guest who fills a cart leaves no row anywhere."
    # The field for a code brings Django's token for its form.
    assert cookie_names(page.context) == {"cart", "csrftoken"}
    shopper.follow("Check out", within="main")
    shopper.fill_in()
    expect(page.locator(".sums-total")).to_contain_text("19.70")
    shopper.place()

    first = shopper.pay()
    assert (first.state, first.shipping) == ("paid", STANDARD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, Ada")
    expect(shopper.offer).to_contain_text("Free shipping until")
    coupon = shopper.offer_coupon
    assert shopper.deadline == coupon.ends_at
    expect(shopper.clock).to_have_text(NEARLY_AN_HOUR)
    expect(shopper.clock).to_be_visible(visible=shopper.has_script)

    shopper.follow("Back to the shelves")
    shopper.take("Teaware", "Gaiwan")
    shopper.go_to_checkout()
    expect(page.locator(".sums")).to_contain_text("free")
    shopper.fill_in()
    shopper.place()

    second = shopper.pay()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome back, Ada")
    assert second.number != first.number
    assert (second.state, second.shipping, second.total) == ("paid", FREE, second.subtotal)
    redemption = Redemption.objects.get(order_ref=second.number)
    assert (redemption.coupon_id, redemption.state) == (coupon.pk, Redemption.State.REDEEMED)
    page.goto(f"/thanks/order/{first.number}/")
    expect(shopper.offer).to_contain_text("You have used this offer")


@pytest.mark.parametrize(
    ("late", "shipping"), [(timedelta(seconds=60), FREE), (timedelta(seconds=91), STANDARD)], ids=["grace", "over"]
)
def test_the_end_of_an_offer_is_kept_by_the_checkout(
    either: Shopper, travel: Callable[..., None], late: timedelta, shipping: Money
) -> None:
    """CD-2: a minute after the shown end the checkout is still kind; after the grace the offer is over."""
    first = either.quick_order()
    coupon = either.offer_coupon
    either.quick_take("/sweet-things/oat-biscuits/")
    # The clock stands: a busy machine needs longer than what is left of the grace.
    travel(coupon.ends_at + late, tick=False)
    either.go_to_checkout()
    expect(either.page.locator(".sums")).to_contain_text("free" if shipping == FREE else "€4.90")
    either.fill_in()
    either.place()
    second = either.pay()
    assert second.number != first.number
    assert second.shipping == shipping
    assert Redemption.objects.filter(coupon=coupon).count() == (shipping == FREE)


def test_an_expired_offer_is_said_before_the_order_and_loses_nothing(
    either: Shopper, watch: Watch, travel: Callable[..., None]
) -> None:
    """Whoever types while the time runs out sees the new total before ordering, and keeps what was typed (AX-2)."""
    watch.allow("422")
    page = either.page
    first = either.quick_order()
    coupon = either.offer_coupon
    either.quick_take("/sweet-things/oat-biscuits/")
    either.go_to_checkout()
    either.fill_in()
    expect(page.get_by_role("button", name="Order and pay €4.50")).to_be_visible()
    travel(coupon.ends_at + timedelta(seconds=91))
    either.place()
    expect(page.locator("#errors")).to_be_visible()
    assert either.last_order.number == first.number, "Nothing is ordered at a price that nobody has seen."
    expect(page.get_by_label("Full name")).to_have_value("Ada Lovelace")
    expect(page.get_by_role("button", name="Order and pay €9.40")).to_be_visible()
    either.place()
    assert either.pay().shipping == STANDARD


def test_another_browser_sees_the_same_offer_and_nobody(
    either: Shopper, context: Callable[..., Any], travel: Callable[..., None]
) -> None:
    """CD-3, TY-1: by the link in the mail the same end, reload after reload, and no personal data."""
    number = either.quick_order().number
    deadline = either.deadline
    either.page.reload()
    assert either.deadline == deadline
    travel(timezone.now() + timedelta(minutes=7))
    either.page.reload()
    assert either.deadline == deadline

    other = Shopper(context(viewport="phone").new_page(), email=either.email)
    other.open(either.link_in_mail("order"))
    expect(other.page.locator(".ty-head__number")).to_contain_text(number)
    assert "/link/" not in other.page.url, "The token leaves the address (TY-5)."
    assert other.deadline == deadline
    text = other.page.content()
    assert not [word for word in (*PERSONAL, either.email) if word in text]
    other.hands.write(other.page.get_by_label("E-mail address of the order"), either.email)
    other.push("Show everything")
    expect(other.page.get_by_text("Rosenweg 1")).to_be_visible()
    assert other.deadline == deadline


def test_a_code_typed_in_another_browser_gives_the_same(either: Shopper, context: Callable[..., Any]) -> None:
    """The offer is a coupon: its code works wherever it is typed, also in small letters and with spaces (AX-3)."""
    either.quick_order()
    code = either.offer.locator(".ty-code__text").inner_text()
    other = Shopper(context().new_page(), email=either.email)
    other.quick_take("/sweet-things/oat-biscuits/")
    other.go_to_checkout()
    other.fill_in()
    other.hands.write(other.page.get_by_label("I have a code"), code.lower().replace("-", " "))
    other.push("Use it")
    expect(other.page.locator(".sums")).to_contain_text("free")
    expect(other.page.get_by_label("Full name")).to_have_value("Ada Lovelace")
    other.place()
    assert other.pay().shipping == FREE


def test_looking_around_leaves_no_session(page: Any) -> None:
    """D7: who only looks gets no cookie and no row."""
    before = Session.objects.count()
    for path in ("/", "/tea/", "/tea/earl-grey/", "/cart/", "/thanks/"):
        page.goto(path)
    assert cookie_names(page.context) == set()
    assert Session.objects.count() == before
