"""Saving a product for later, by a guest and by an account: beside bare views, Oscar's ways and flexcommerce's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.core.handlers.wsgi import WSGIHandler
from django.urls import reverse
from oscar.core.loading import get_model

from wishlists.kinds import SAVED
from wishlists.models import ListItem, Save

from .. import peers
from ..browser import Answer, Browser
from ..measuring import Budget, Side, Table, at_most, sql_of, tabulate, take_turns, writes
from ..models import BareItem
from ..shop import expect, fill_basket, sign_in
from .cart import count_in, form_fields

#: What is saved before.
LINES = 3
JSON = "application/json"


def measure(*, app: WSGIHandler, products: list[Any], rounds: int) -> list[Table]:
    """One more product onto a list of three; what was added is taken off again before each turn."""
    held, new = products[:LINES], products[LINES]
    return [
        _by_a_guest(app, held, new, rounds=rounds),
        _by_an_account(app, held, new, rounds=rounds),
    ]


def _by_a_guest(app: WSGIHandler, held: list[Any], new: Any, *, rounds: int) -> Table:
    """Nobody else lets guests save for later; the floor is that of the cart."""
    ours, bare = Browser(app), Browser(app)
    for product in held:
        expect(ours.send("POST", reverse("thankyou_wishlists:saved_add"), saving(product)), 303)
        expect(bare.send("POST", "/bare/cart/add/", {"product_ref": product.pk, "quantity": 1}), 302)
    page = Side("ours, in a cookie", ours.prepare("POST", reverse("thankyou_wishlists:saved_add"), saving(new)))
    floor = Side("bare signed cookie", bare.prepare("POST", "/bare/cart/add/", {"product_ref": new.pk, "quantity": 1}))
    cookies = expect(page.run(), 303).cookies
    assert count_in(floor.run(), str(new.pk)) == 1
    assert any(name.endswith(SAVED) for name in cookies), cookies
    take_turns([page, floor], rounds=rounds)
    sql = sql_of(page)
    budgets = [
        at_most(1.5, page, floor, "× a bare signed cookie"),
        Budget("queries", len(sql), 1, "queries"),
        Budget("writes", writes(sql), 0, "writes"),
        Budget("sessions", int("sessionid" in cookies), 0, "sessions"),
    ]
    return tabulate(f"Save for later by a guest, {LINES} products", [page, floor], budgets)


def _by_an_account(app: WSGIHandler, held: list[Any], new: Any, *, rounds: int) -> Table:
    browser = Browser(app)
    user = sign_in(browser, "hana@example.com")
    for product in held:
        expect(browser.send("POST", reverse("thankyou_wishlists:saved_add"), saving(product)), 303)
    ref = str(new.pk)

    def take_off() -> None:
        ListItem.objects.filter(product_ref=ref).delete()
        Save.objects.filter(product_ref=ref).delete()

    ours = Side("ours", browser.prepare("POST", reverse("thankyou_wishlists:saved_add"), saving(new)), before=take_off)
    floor = Side(
        "bare view, one SELECT, one INSERT",
        browser.prepare("POST", "/bare/saved/add/", {"product_ref": ref}),
        before=BareItem.objects.filter(owner=user, product_ref=ref).delete,
    )
    sides = [ours, floor, *oscar_sides(app, held, new), *flexcommerce_sides(app, held, new)]
    for side in sides:
        status = side.once().status
        assert status in {200, 201, 302, 303}, (side.name, status)
    assert ListItem.objects.of(user).filter(list__kind=SAVED).count() == LINES + 1
    take_turns(sides, rounds=rounds)
    return tabulate(f"Save for later by an account, {LINES} products", sides, [])


def saving(product: Any) -> dict[str, Any]:
    return {"product_ref": product.pk, "action": "add", "next": product.get_absolute_url()}


def oscar_sides(app: WSGIHandler, held: list[Any], new: Any) -> list[Side]:
    """Return "add to wish list" and the basket's "save for later", by an account."""
    browser = Browser(app)
    user = sign_in(browser, "ida@example.com")
    wish_list = get_model("wishlists", "WishList").objects.create(owner=user, name="Birthday")
    for product in held:
        wish_list.add(product)
    path = reverse("customer:wishlists-add-product", kwargs={"key": wish_list.key, "product_pk": new.pk})
    wish = Side(
        "Oscar's wish list",
        browser.prepare("POST", path),
        before=lambda: wish_list.lines.filter(product=new).delete(),
    )
    fill_basket(browser, [*held, new])
    basket = get_model("basket", "Basket").open.get(owner=user)
    line = basket.lines.get(product=new)
    page = expect(browser.send("GET", reverse("basket:summary")), 200).text
    browser.cookies.pop("messages", None)
    fields = form_fields(page)
    number = next(name for name, value in fields.items() if name.endswith("-id") and value == str(line.pk))
    fields[number.replace("-id", "-save_for_later")] = "on"

    def put_back() -> None:
        get_model("basket", "Line").objects.filter(pk=line.pk).update(basket=basket)

    later = Side(
        "Oscar's basket, save for later",
        checked(
            browser.prepare("POST", reverse("basket:summary"), fields),
            lambda: not basket.lines.filter(pk=line.pk).exists(),
        ),
        before=put_back,
    )
    later.once()
    later.run = browser.prepare("POST", reverse("basket:summary"), fields)
    return [wish, later]


def checked(send: Callable[[], Answer], is_done: Callable[[], bool]) -> Callable[[], Answer]:
    """Return a function that sends a request and sees that it has done its work; for a trial, not to be measured."""

    def run() -> Answer:
        answer = send()
        assert is_done(), answer.text[:2000]
        return answer

    return run


def flexcommerce_sides(app: WSGIHandler, held: list[Any], new: Any) -> list[Side]:
    """Return "add to wish list" and "save for later" of a cart's line, by an account; JSON both."""
    browser = Browser(app)
    user = sign_in(browser, "jan@example.com")
    wares, sides = peers.make_wares([*held, new]), []
    ware = wares[-1]
    if peers.is_there(peers.ENGAGEMENT):
        wish_list = peers.fill_wish_list(user, wares[:-1])
        path = f"/flexcommerce/wishlists/{wish_list.pk}/add/"
        send = browser.prepare("POST", path, {"product_id": ware.pk}, accept=JSON)
        before = wish_list.items.filter(object_id=ware.pk).delete
        sides.append(Side("flexcommerce's wish list", send, before=before))
    if peers.is_there(peers.CART):
        sides.append(_flexcommerce_later(browser, user, wares))
    return sides


def _flexcommerce_later(browser: Browser, user: Any, wares: list[Any]) -> Side:
    for ware in wares:
        expect(browser.prepare("POST", "/flexcommerce/cart/add/", {"product_id": ware.pk}, accept=JSON)(), 201)
    saved = apps.get_model(peers.CART, "SavedItem").objects.filter(user=user)
    item = apps.get_model(peers.CART, "CartItem").objects.get(cart__user=user, object_id=wares[-1].pk)

    def put_back() -> None:
        saved.delete()
        type(item).objects.filter(pk=item.pk).delete()
        type(item).objects.bulk_create([item])

    send = browser.prepare("POST", f"/flexcommerce/cart/{item.pk}/save/", accept=JSON)
    return Side("flexcommerce's save for later", send, before=put_back)
