"""The scene of the lists' access matrix: A's lists full of things that nobody else may see, and everybody who tries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import time_machine
from django.apps import apps
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.signing import TimestampSigner
from django.db import connection, transaction
from django.db.models import F, Value
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from djmoney.money import Money

from wishlists import merging
from wishlists.asking import SESSION_KEY
from wishlists.gifts import mark
from wishlists.givers import SALT, new_giver
from wishlists.inquiry_forms import AskForm
from wishlists.kinds import CART, COMPARE, RECENT, SAVED, WISH
from wishlists.lines import Line, Lines
from wishlists.models import ListItem, ProductList
from wishlists.models.keys import make_key
from wishlists.saves import record_saves
from wishlists.sharing import share, unshare

from .conftest import put

#: Words that stand in A's rows, and nowhere else, by what they give away. They need no escaping in HTML, JSON or CSV.
MARKERS: Mapping[str, tuple[str, ...]] = {
    "person": ("xanthippe", "athens", "phidias"),
    "private": ("birthmark", "stolen", "hidingplace", "putaside", "weighed", "lookedat", "broughtin", "sku-777"),
    "shared": ("bicycle", "saddle", "leathery"),
    "later": ("tandem",),
    "shown": ("auntie",),
}
#: A product that A has on every list; the shop sells it, so that its title is no secret.
COMMON = {"product_ref": "tea", "title": "Sencha"}


@dataclass
class World:
    """Who there is, and A's keys."""

    people: dict[str, User]
    private: ProductList
    second: ProductList
    shared: ProductList
    bs: ProductList
    receipt: str
    live: str
    revoked: str
    giver: str

    def browser(self, who: str) -> Client:
        """Return a browser of its own with a guest's things in it; ``who`` is logged in, if that is somebody."""
        cache.clear()
        client = Client()
        if who in self.people:
            client.force_login(self.people[who])
            # Also those who never merged: the key of A's receipt must not be enough.
            session = client.session
            session[SESSION_KEY] = {"answered": True, "receipts": [self.receipt]}
            session.save()
        put(client, Line("tea", 2))
        put(client, Line("pot"), Line("tea"), kind=SAVED)
        client.cookies["cart_gifts"] = TimestampSigner(salt=SALT).sign(self.giver)
        return client


def build_world() -> World:
    """Fill A's lists, and a few of B's."""
    a = User.objects.create_user(
        "xanthippe", "xanthippe@athens.example", "secret", first_name="Xanthippe", last_name="Phidias"
    )
    people = {"A": a, "B": User.objects.create_user("b"), "staff": User.objects.create_user("staff", is_staff=True)}
    ago = timezone.now() - timedelta(days=1)

    def make(user: User, kind: str, *titles: str, name: str = "", note: str = "") -> ProductList:
        row = ProductList.objects.create(owner=user, kind=kind, name=name)
        for title in titles:
            known: dict[str, Any] = {"product_ref": f"ref-of-{title}", "title": title, "note": note}
            ListItem.objects.create(list=row, added_at=ago, price=Money(9, "EUR"), **known)
        ListItem.objects.create(list=row, added_at=ago, **COMMON)
        return row

    make(a, CART, "Stolen")
    make(a, SAVED, "Putaside")
    make(a, COMPARE, "Weighed")
    make(a, RECENT, "Lookedat")
    private = make(a, WISH, "Hidingplace", name="Birthmark", note="Broughtin")
    second = make(a, WISH, name="Second")
    shared = share(list=make(a, WISH, "Saddle", name="Bicycle", note="Leathery"), shown_name="Auntie")
    ListItem.objects.create(
        list=shared, product_ref="ref-of-later", title="Tandem", added_at=timezone.now() + timedelta(hours=1)
    )
    gone = share(list=make(a, WISH, "Broughtin", name="Stolen"))
    revoked = gone.share_key or ""
    unshare(list=gone)
    record_saves(user=a, titles={"ref-of-Putaside": "Putaside"})
    receipt = merging.merge(user=a, guest={SAVED: Lines((Line("sku-777"),), SAVED)}, cookies={})
    giver = new_giver()
    mark(list=shared, giver=new_giver(), product_ref="ref-of-Saddle", quantity=1)
    bs = make(people["B"], WISH, name="Mine")
    for who in ("B", "staff"):
        make(people[who], SAVED)
    live = shared.share_key or ""
    return World(people, private, second, shared, bs, receipt.key, live, revoked, giver)


# Looking ------------------------------------------------------------------------------------------


def rows() -> dict[str, set[tuple[Any, ...]]]:
    """Return all rows of our tables, by whose they are: the name of an account, or "shop"."""
    found: dict[str, set[tuple[Any, ...]]] = {}
    for model in apps.get_app_config("thankyou_wishlists").get_models():
        way = OWNERS.get(next((field.name for field in model._meta.fields if field.name in OWNERS), ""))
        names = [field.attname for field in model._meta.concrete_fields]
        for whose, *values in model._default_manager.values_list(F(way) if way else Value("shop"), *names):
            found.setdefault(whose, set()).add((model.__name__, *map(repr, values)))
    return found


#: How to get from a row to the name of the account it belongs to.
OWNERS = {"owner": "owner__username", "list": "list__owner__username", "item": "item__list__owner__username"}


def changed(before: dict[str, set[tuple[Any, ...]]], world: World) -> set[str]:
    """Return whose rows are not what they were: "A", "B", "staff", "shop"."""
    after = rows()
    names = {user.username: who for who, user in world.people.items()}
    return {names.get(whose, whose) for whose in before | after if before.get(whose) != after.get(whose)}


def seen(answer: Any) -> set[str]:
    """Return which of A's secrets are in an answer, in whatever case: body, headers and cookies."""
    body = b"".join(answer) if answer.streaming else answer.content
    text = "\n".join([body.decode("utf-8-sig", "replace"), str(answer.headers), answer.cookies.output()]).lower()
    return {group for group, words in MARKERS.items() if any(word in text for word in words)}


@contextmanager
def undone() -> Iterator[None]:
    """Take back what the block does to the database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def writes() -> Iterator[list[str]]:
    """Collect the statements that write."""
    sent: list[str] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if sql.lstrip(" (").upper().startswith(("INSERT", "UPDATE", "DELETE")):
            sent.append(sql)
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        yield sent


def address(world: World, name: str, link: str) -> str:
    """Return the address of a row: with A's key where it takes one, or the key of the link that the actor has."""
    keys = {
        "receipt": world.receipt,
        "merge_undo": world.receipt,
        "shared": link,
        "shared_gift": link,
        "api_shared": link,
        "api_list": SAVED,
        "list_share": world.shared.key,
    }
    takes_key = name in {*keys, "api_wish_list", "list"} or (name.startswith("list_") and name not in NO_KEY)
    return reverse(f"thankyou_wishlists:{name}", args=[keys.get(name, world.private.key)] if takes_key else [])


NO_KEY = {"list_new", "list_choose"}


def stamp() -> str:
    """Return the stamp of a question form that was opened a minute ago."""
    with time_machine.travel(timezone.now() - timedelta(minutes=1), tick=False):
        return AskForm().began_now


def link_of(world: World, which: str) -> str:
    """Return the key of the live link, of the revoked one, or one that somebody invents."""
    return {"live": world.live, "revoked": world.revoked}.get(which) or make_key()
