"""The access matrix in the example shop: everybody × every order × every address, with a real cache in front."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from example_site.shop.models import Order, Payment
from tests import access_matrix as matrix
from tests.access_coupons import walk
from tests.access_matrix import BAD_METHOD, Actor, Answer, ShopRow, text, to
from tests.access_mutants import MUTANTS, name_of_mutant
from tests.access_world import NOW, Person, World, build_world, put_cache_in_front

from .conftest import ADDRESS, Shopper

pytestmark = pytest.mark.django_db


#: The cart of a guest. The lists of accounts have owners and links, and a matrix of their own (test_wishlists/test_access.py).
OF_THE_CART = ("cart", "cart_add", "cart_change", "state")


def is_ours(name: str) -> bool:
    app, _, page = name.partition(":")
    return app in ("shop", "demo") or (app == "thankyou_wishlists" and page in OF_THE_CART)


def everybody(answer: Answer) -> ShopRow:
    return ShopRow(anonymous=answer)


NOT_FOUND = everybody(text(404))
LOGIN = to("/account/login/", 302)
CART = "/cart/"

# fmt: off
#: The shop's own pages. The browser that ordered goes on to its thank-you page, which then decides what it shows.
ROWS = {
    ("shop:payment", "GET", ""): ShopRow(
        anonymous=text(404), ordered=to("order", 302), owner=text(200, "number")),
    ("shop:payment", "POST", "pay"): ShopRow(
        anonymous=text(404), ordered=to("order", 302), owner=to("order", 302)),
    ("shop:payment", "POST", "fail"): ShopRow(
        anonymous=text(404), ordered=to("order", 302), owner=to("order", 302)),
    ("shop:payment_retry", "GET", ""): everybody(BAD_METHOD),
    ("shop:payment_retry", "POST", "card"): ShopRow(
        anonymous=text(404), ordered=to("order", 302), owner=to("order", 302)),
    # Of personal data, the account's own address, which waits to be confirmed.
    ("shop:account", "GET", ""): ShopRow(
        anonymous=LOGIN, signed_in=text(200), owner=text(200, "number", "items", "total", "personal data")),
    ("shop:account", "POST", ""): ShopRow(anonymous=LOGIN, signed_in=BAD_METHOD),
    # Filled in with what A typed last time.
    ("shop:checkout", "GET", ""): ShopRow(anonymous=text(200), owner=text(200, "personal data")),
    # The token of a form that was sent already, together with another customer's data.
    ("shop:checkout", "POST", "the order's form"): ShopRow(
        anonymous=text(422), ordered=to("order", 302), owner=to("order", 302)),
    ("shop:register", "GET", ""): everybody(text(200)),
    ("shop:register", "POST", ""): everybody(text(200)),
    # Links of other people are not known; whoever has one may press its button, and sees the account's address only.
    ("shop:confirm_address", "GET", ""): NOT_FOUND,
    ("shop:confirm_address", "POST", ""): NOT_FOUND,
    ("shop:resend_confirmation", "GET", ""): ShopRow(anonymous=LOGIN, signed_in=BAD_METHOD),
    ("shop:resend_confirmation", "POST", ""): ShopRow(anonymous=LOGIN, signed_in=to("/account/", 302)),
    ("shop:newsletter", "GET", ""): ShopRow(anonymous=LOGIN, signed_in=BAD_METHOD),
    ("shop:newsletter", "POST", ""): ShopRow(anonymous=LOGIN, signed_in=to("/account/", 302)),
    # A file, the same for whoever has an account.
    ("shop:guide", "GET", ""): ShopRow(anonymous=LOGIN, signed_in=BAD_METHOD),
    ("shop:guide", "POST", ""): ShopRow(anonymous=LOGIN, signed_in=text(200)),
    ("shop:login", "GET", ""): ShopRow(anonymous=text(200), signed_in=to("/account/", 302)),
    ("shop:login", "POST", ""): ShopRow(anonymous=text(200), signed_in=to("/account/", 302)),
    ("shop:logout", "GET", ""): everybody(BAD_METHOD),
    ("shop:logout", "POST", ""): everybody(to("/", 302)),
    ("thankyou_wishlists:cart", "GET", ""): everybody(text(200)),
    ("thankyou_wishlists:cart", "POST", ""): everybody(BAD_METHOD),
    ("thankyou_wishlists:cart_add", "GET", ""): everybody(to(CART)),
    ("thankyou_wishlists:cart_add", "POST", "goods"): everybody(to(CART)),
    ("thankyou_wishlists:cart_change", "GET", ""): everybody(to(CART)),
    ("thankyou_wishlists:cart_change", "POST", "goods"): everybody(to(CART)),
    ("thankyou_wishlists:state", "GET", ""): everybody(text(200)),
    ("thankyou_wishlists:state", "POST", ""): everybody(BAD_METHOD),
    # Only a demo shows everybody's mail to everybody.
    ("demo:mailbox", "GET", ""): NOT_FOUND,
    ("demo:mailbox", "POST", ""): NOT_FOUND,
    ("demo:message", "GET", ""): NOT_FOUND,
    ("demo:message", "POST", ""): NOT_FOUND,
    ("demo:message_html", "GET", ""): NOT_FOUND,
    ("demo:message_html", "POST", ""): NOT_FOUND,
    ("demo:bank", "GET", ""): NOT_FOUND,
    ("demo:bank", "POST", ""): NOT_FOUND,
    ("demo:bank_answer", "GET", ""): NOT_FOUND,
    ("demo:bank_answer", "POST", ""): NOT_FOUND,
}
# fmt: on


class ExampleShop:
    """What the matrix does in this shop: everything through its own pages."""

    rows = ROWS
    lists_codes = "shop:checkout"

    def __init__(self, home: Any, make_product: Callable[..., Any]) -> None:
        self.home = home
        self.make_product = make_product
        self.goods = make_product("PLAIN", title="Plain cup")

    def buy(self, *, client: Client, person: Person) -> str:
        shopper = Shopper(client)
        shopper.put(self.make_product(person.marker[:3].upper(), price=person.price, title=person.item))
        order = shopper.place(email=person.email, name=person.name, street=person.street)
        assert shopper.pay(order).status_code == 302
        return order.number

    def visit(self, client: Client, row: tuple[str, str, str]) -> None:
        if row[0] == "shop:checkout":
            Shopper(client).put(self.goods)

    def target(self, row: tuple[str, str, str], number: str) -> tuple[str, dict[str, str]]:
        name, _method, sent = row
        order = Order.objects.filter(number=number).first()
        match name:
            case "shop:payment" | "shop:payment_retry" | "demo:bank_answer":
                payment = Payment.objects.filter(order__number=number).first()
                address = reverse(name, args=[payment.reference if payment else "x" * 22])
                return address, {"answer": sent, "payment_method": sent}
            case "shop:checkout" if sent:
                token = str(order.checkout_token) if order else "0" * 32
                form = {**ADDRESS, "shipping_method": "standard", "payment_method": "card", "action": "place"}
                return reverse(name), {**form, "token": token, "seen_total": "1.00"}
            case "demo:message" | "demo:message_html" | "shop:confirm_address":
                return reverse(name, args=["x"]), {}
            case "thankyou_wishlists:cart_add" | "thankyou_wishlists:cart_change":
                return reverse(name), {"product_ref": self.goods.sku, "quantity": "1"}
        return reverse(name), {}


@pytest.fixture
def world(settings: Any, home: Any, make_product: Callable[..., Any]) -> Iterator[World]:
    put_cache_in_front(settings)
    settings.DEMO = False
    with time_machine.travel(NOW, tick=False) as clock:
        yield build_world(shop=ExampleShop(home, make_product), clock=clock)


@pytest.mark.parametrize("actor", matrix.ACTORS, ids=lambda actor: actor.who)
def test_access_matrix(world: World, actor: Actor) -> None:
    """TY-1 to TY-6: of every order exactly what the table says; every refusal the same bytes."""
    wrong = walk(world=world, actor=actor)
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_address_is_in_the_table() -> None:
    """A new address of ours or of the shop, or a new action block, has to say first who may see what."""
    assert not matrix.missing_from_table(ROWS, belongs=is_ours)
    assert not matrix.missing_actions()


@pytest.mark.teeth
def test_a_new_address_would_be_missed() -> None:
    found = matrix.named_urls() | {"thankyou_flows:invoice"}
    missing = matrix.missing_from_table(ROWS, belongs=is_ours, found=found)
    assert missing == ["GET thankyou_flows:invoice", "POST thankyou_flows:invoice"]


@pytest.mark.teeth
@pytest.mark.parametrize(("mutant", "who", "complaint"), MUTANTS, ids=name_of_mutant)
def test_the_matrix_has_teeth(
    world: World, monkeypatch: pytest.MonkeyPatch, mutant: Callable[..., None], who: str, complaint: str
) -> None:
    """With a guard taken away, the table does not hold any more."""
    mutant(monkeypatch)
    wrong = walk(world=world, actor=matrix.actor(who), only={"order", "coupon", "mine", "apply", "preferences"})
    assert any(complaint in line for line in wrong), wrong
