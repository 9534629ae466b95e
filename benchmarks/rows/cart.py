"""Add and change by a guest: our cookie cart beside a bare signed cookie, Oscar's basket and flexcommerce's cart."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import cycle
from typing import Any

from django.core import signing
from django.core.handlers.wsgi import WSGIHandler
from django.urls import reverse

from .. import floors, peers
from ..browser import Answer, Browser
from ..measuring import Budget, Side, Table, at_most, sql_of, tabulate, take_turns, writes
from ..shop import expect, fill_basket

#: What is in the cart before.
LINES = 3
JSON = "application/json"


def measure(*, app: WSGIHandler, products: list[Any], rounds: int) -> list[Table]:
    """One more piece of a product that is in the cart already, and another quantity for it."""
    held = products[:LINES]
    ours, bare, oscar = Browser(app), Browser(app), Browser(app)
    for product in held:
        expect(ours.send("POST", "/cart/add/", {"product_ref": product.pk, "quantity": 1, "next": "/"}), 303)
        expect(bare.send("POST", "/bare/cart/add/", {"product_ref": product.pk, "quantity": 1}), 302)
    fill_basket(oscar, held)
    ref = str(held[0].pk)
    back = held[0].get_absolute_url()
    add = [
        Side("our cookie cart", ours.prepare("POST", "/cart/add/", {"product_ref": ref, "quantity": 1, "next": back})),
        Side("bare signed cookie", bare.prepare("POST", "/bare/cart/add/", {"product_ref": ref, "quantity": 1})),
        Side("Oscar's basket", oscar.prepare("POST", reverse("basket:add", kwargs={"pk": ref}), {"quantity": 1})),
    ]
    expect(add[0].run(), 303)
    assert count_in(add[1].run(), ref) == 2
    expect(add[2].run(), 302)
    change = [
        Side("our cookie cart", ours.prepare("POST", "/cart/change/", {"product_ref": ref, "quantity": 3})),
        Side("bare signed cookie", bare.prepare("POST", "/bare/cart/change/", {"product_ref": ref, "quantity": 3})),
        Side("Oscar's basket", oscar_change(oscar)),
    ]
    expect(change[0].run(), 303)
    assert count_in(change[1].run(), ref) == 3
    expect(change[2].run(), 302)
    if peers.is_there(peers.CART):
        for sides, side in zip((add, change), flexcommerce_sides(app, held), strict=True):
            sides.append(side)
            expect(side.run(), 201 if sides is add else 200)
    tables = []
    for title, sides in (("Cart: add by a guest", add), ("Cart: change by a guest", change)):
        take_turns(sides, rounds=rounds)
        tables.append(tabulate(f"{title}, {LINES} lines", sides, budgets_of(*sides[:2])))
    return tables


def budgets_of(ours: Side, bare: Side) -> list[Budget]:
    sql = sql_of(ours)
    cookies = ours.run().cookies
    return [
        at_most(1.5, ours, bare, "× a bare signed cookie"),
        Budget("queries", len(sql), 1, "queries"),
        Budget("writes", writes(sql), 0, "writes"),
        Budget("sessions", int("sessionid" in cookies) + sum("django_session" in text for text in sql), 0, "sessions"),
    ]


def oscar_change(browser: Browser) -> Callable[[], Answer]:
    """Return a function that sends Oscar's basket form, each time with another quantity in its first line."""
    page = expect(browser.send("GET", reverse("basket:summary")), 200).text
    fields = form_fields(page)
    browser.cookies.pop("messages", None)
    path = reverse("basket:summary")
    turns = cycle([browser.prepare("POST", path, {**fields, "form-0-quantity": quantity}) for quantity in (3, 4)])
    return lambda: next(turns)()


def flexcommerce_sides(app: WSGIHandler, held: list[Any]) -> tuple[Side, Side]:
    """Return flexcommerce's "add" and "change" by a guest, who has a session; it has no pages, only JSON."""
    browser, wares = Browser(app), peers.make_wares(held)
    for ware in wares:
        added = browser.prepare("POST", "/flexcommerce/cart/add/", {"product_id": ware.pk}, accept=JSON)()
        browser.cookies.update(expect(added, 201).cookies)
    add = browser.prepare("POST", "/flexcommerce/cart/add/", {"product_id": wares[0].pk}, accept=JSON)
    item = json.loads(add().text)["items"][0]["id"]
    path = f"/flexcommerce/cart/{item}/update/"
    turns = cycle([browser.prepare("PATCH", path, {"quantity": quantity}, accept=JSON) for quantity in (3, 4)])
    # A hundred of a product is its limit, so that what was added is taken off again.
    reset = browser.prepare("PATCH", path, {"quantity": 1}, accept=JSON)
    name = "flexcommerce's cart (JSON)"
    return Side(name, add, before=reset), Side(name, lambda: next(turns)())


def form_fields(page: str) -> dict[str, str]:
    """Return what a browser would send of the basket's formset."""
    fields = {}
    for tag in re.findall(r"<input[^>]*name=\"form-[^>]*>", page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and 'type="checkbox"' not in tag:
            fields[name[1]] = value[1] if value else ""
    return fields


def count_in(answer: Answer, ref: str) -> int:
    return int(signing.loads(answer.cookies[floors.COOKIE], salt=floors.SALT)[ref])
