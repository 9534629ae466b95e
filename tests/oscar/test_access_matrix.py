"""The access matrix in an Oscar shop: everybody × every order × every address, with a real cache in front."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client, TestCase
from django.urls import reverse

from tests import access_matrix as matrix
from tests.access_coupons import walk
from tests.access_matrix import Actor, Answer, ShopRow, text, to
from tests.access_mutants import MUTANTS, name_of_mutant
from tests.access_world import NOW, Person, World, build_world, put_cache_in_front

from .conftest import ADDRESS, model

pytestmark = pytest.mark.django_db

LOGIN = to("/accounts/login/", 302)

# fmt: off
#: What Oscar shows of an order at its own addresses.
ORDER_PAGES = {
    # Oscar's page stays open to the browser that ordered, and opens to superusers ("for testing").
    ("checkout:thank-you", "GET", ""): ShopRow(
        anonymous=to("shop", 302), ordered=text(200, "number", "items", "total", "personal data"),
        ordered_other=Answer(status=0)),
    ("checkout:thank-you", "GET", "number"): ShopRow(
        anonymous=to("shop", 302), ordered=text(200, "number", "items", "total", "personal data"),
        ordered_other=Answer(status=0), superuser=text(200, "number", "items", "total", "personal data")),
    ("checkout:thank-you", "POST", ""): ShopRow(anonymous=text(405)),
    ("customer:summary", "GET", ""): ShopRow(anonymous=LOGIN, signed_in=to("/accounts/profile/", 302)),
    ("customer:summary", "POST", ""): ShopRow(anonymous=LOGIN, signed_in=to("/accounts/profile/", 302)),
    ("customer:order-list", "GET", ""): ShopRow(
        anonymous=LOGIN, signed_in=text(200), owner=text(200, "number", "total")),
    ("customer:order-list", "POST", ""): ShopRow(anonymous=LOGIN, signed_in=text(405)),
    ("customer:order", "GET", ""): ShopRow(
        anonymous=LOGIN, signed_in=text(404), owner=text(200, "number", "items", "total", "personal data")),
    ("customer:order", "POST", ""): ShopRow(
        anonymous=LOGIN, signed_in=text(404), owner=Answer(status=0)),
    ("customer:order-line", "GET", ""): ShopRow(
        anonymous=LOGIN, signed_in=text(404), owner=Answer(status=0)),
    ("customer:order-line", "POST", ""): ShopRow(
        anonymous=LOGIN, signed_in=text(404), owner=Answer(status=0)),
    # With the hash of its link, but not yet the e-mail address.
    ("customer:anon-order", "GET", ""): ShopRow(anonymous=Answer(status=0)),
    ("customer:anon-order", "POST", ""): ShopRow(anonymous=Answer(status=0)),
    ("customer:anon-order-form", "GET", ""): ShopRow(anonymous=text(200)),
    ("customer:anon-order-form", "POST", "another address"): ShopRow(anonymous=text(200)),
}
# fmt: on

#: Pages about the visitor, not about an order. Oscar decides what they answer; of others there must be nothing. Each is
#: tried with the keys of what belongs to A.
OTHER_PAGES = (
    "basket:add",
    "basket:saved",
    "basket:summary",
    "basket:vouchers-add",
    "basket:vouchers-remove",
    "checkout:index",
    "checkout:payment-details",
    "checkout:payment-method",
    "checkout:preview",
    "checkout:shipping-address",
    "checkout:shipping-method",
    "checkout:user-address-delete",
    "checkout:user-address-update",
    "customer:address-change-status",
    "customer:address-create",
    "customer:address-delete",
    "customer:address-detail",
    "customer:address-list",
    "customer:email-detail",
    "customer:email-list",
    "customer:notifications-detail",
    "customer:notifications-inbox",
    "customer:profile-delete",
    "customer:profile-update",
    "customer:profile-view",
)

ROWS = ORDER_PAGES | {
    (name, method, ""): ShopRow(anonymous=Answer(status=0)) for name in OTHER_PAGES for method in ("GET", "POST")
}


def is_ours(name: str) -> bool:
    """Tell whether the table has to know it: what is not, has nothing to do with orders, addresses or mail."""
    nothing_to_do = ("alert", "wishlists", "login", "logout", "register", "change-password", "notifications")
    return name in OTHER_PAGES or (
        name.startswith(("basket:", "checkout:", "customer:")) and not name.partition(":")[2].startswith(nothing_to_do)
    )


class OscarShop:
    """What the matrix does in this shop: everything through Oscar's own views."""

    rows = ROWS
    lists_codes = ""

    def __init__(self, home: Any, make_product: Callable[..., Any]) -> None:
        self.home = home
        self.make_product = make_product
        self.goods = make_product(title="Plain cup")

    def buy(self, *, client: Client, person: Person) -> str:
        self._add(client, self.make_product(title=person.item, price=person.price))
        if "_auth_user_id" in client.session:
            client.get(reverse("checkout:index"))
        else:
            client.post(reverse("checkout:index"), {"username": person.email, "options": "anonymous"})
        address = ADDRESS | {"first_name": person.marker, "last_name": "Novak", "line1": person.street}
        client.post(reverse("checkout:shipping-address"), address)
        for step in ("shipping-method", "payment-method", "payment-details"):
            client.get(reverse(f"checkout:{step}"))
        with TestCase.captureOnCommitCallbacks(execute=True):
            placed = client.post(reverse("checkout:preview"), {"action": "place_order"})
        assert placed.status_code == 302, placed.content.decode()
        return str(model("order.Order").objects.latest("pk").number)

    def _add(self, client: Client, product: Any) -> None:
        added = client.post(reverse("basket:add", kwargs={"pk": product.pk}), {"quantity": 1})
        assert added.status_code == 302, added.content

    def visit(self, client: Client, row: tuple[str, str, str]) -> None:
        if row[0].startswith("checkout:") and row[0] != "checkout:thank-you":
            self._add(client, self.goods)

    def target(self, row: tuple[str, str, str], number: str) -> tuple[str, dict[str, str]]:
        name, method, sent = row
        order = model("order.Order").objects.filter(number=number).first()
        line = order.lines.first() if order else None
        of_order = {"order_number": number}
        keys: dict[str, dict[str, Any]] = {
            "basket:add": {"pk": self.goods.pk},
            "basket:vouchers-remove": {"pk": self._key("voucher.Voucher")},
            "customer:address-change-status": {"action": "default_for_billing"},
            "customer:email-detail": {"email_id": self._key("communication.Email")},
            "customer:notifications-detail": {"pk": 1},
            "customer:order": of_order,
            "customer:order-line": of_order | {"line_id": line.pk if line else 999_999},
            "customer:anon-order": of_order | {"hash": order.verification_hash() if order else "x:y"},
            "customer:anon-order-form": of_order | {"hash": order.verification_hash() if order else "x:y"},
        }
        arguments = keys.get(name, {})
        if "address-" in name and name not in {"customer:address-list", "customer:address-create"}:
            arguments = arguments | {"pk": self._key("address.UserAddress")}
        address = reverse(name, kwargs=arguments)
        if sent == "number":
            address = f"{address}?order_number={number}"
        data = {"action": "reorder"} if name.startswith("customer:order") else {}
        return address, data | ({"email": "somebody@example.org"} if sent == "another address" else {})

    def _key(self, path: str) -> int:
        found = model(path).objects.order_by("pk").first()
        return found.pk if found else 1


@pytest.fixture
def world(settings: Any, shop: Any, make_product: Callable[..., Any]) -> Iterator[World]:
    put_cache_in_front(settings)
    with time_machine.travel(NOW, tick=False) as clock:
        yield build_world(shop=OscarShop(shop, make_product), clock=clock)


@pytest.mark.parametrize("actor", matrix.ACTORS, ids=lambda actor: actor.who)
def test_access_matrix(world: World, actor: Actor) -> None:
    """TY-1 to TY-6: of every order exactly what the table says; every refusal the same bytes."""
    wrong = walk(world=world, actor=actor)
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_address_is_in_the_table() -> None:
    """A new address of ours, or one of Oscar's that is about orders, has to say first who may see what."""
    assert not matrix.missing_from_table(ROWS, belongs=is_ours)
    assert not matrix.missing_actions()


@pytest.mark.teeth
@pytest.mark.parametrize(("mutant", "who", "complaint"), MUTANTS, ids=name_of_mutant)
def test_the_matrix_has_teeth(
    world: World, monkeypatch: pytest.MonkeyPatch, mutant: Callable[..., None], who: str, complaint: str
) -> None:
    """With a guard taken away, the table does not hold any more."""
    mutant(monkeypatch)
    wrong = walk(world=world, actor=matrix.actor(who), only={"order", "coupon", "mine", "apply", "preferences"})
    assert any(complaint in line for line in wrong), wrong
