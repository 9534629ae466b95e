"""The access matrix: every address of the lists × method × everybody who may try (SL-2 to SL-5)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.urls import URLPattern

from wishlists.models import ListItem, ProductList
from wishlists.models.lists import ListItemQuerySet, ProductListQuerySet
from wishlists.urls import urlpatterns

from .access_rows import ACTORS, LINK_ROWS, ROWS, SENT, Actor, Answer, Row
from .access_world import World, address, build_world, changed, link_of, rows, seen, stamp, undone, writes

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(site: Any) -> World:
    site.THANKYOU_WISHLISTS |= {"KINDS": {"recent": {"is_on": True}}}
    site.LOGIN_URL = "/login/"
    return build_world()


def ask(world: World, actor: Actor, row: Row, *, method: str = "") -> Any:
    """Send the request of a row; return the answer."""
    return prepare(world, actor, row, method or row[1])()


def prepare(world: World, actor: Actor, row: Row, method: str) -> Callable[[], Any]:
    """Return a function that sends the request of a row, from a browser of its own."""
    name, _method, sent = row
    keys = {"$private": world.private.key, "$second": world.second.key, "$bs": world.bs.key}
    data = {field: keys.get(value) or (stamp() if value == "$stamp" else value) for field, value in SENT[sent].items()}
    client = world.browser(actor.user)
    send: Callable[..., Any] = getattr(client, method.lower())
    headers = {"accept": "application/json"} if "json" in sent else {}
    path = address(world, name, link_of(world, actor.link))
    return partial(send, path, data if method in {"GET", "HEAD", "POST"} else b"", headers=headers)


def expected(actor: Actor, row: Row) -> Answer:
    """Return what the table says."""
    if row in LINK_ROWS:
        without, guest, other, owner = LINK_ROWS[row]
        return {"": guest, "A": owner}.get(actor.user, other) if actor.link == "live" else without
    owner, other, guest = ROWS[row]
    return {"": guest, "A": owner}.get(actor.user, other)


def walk(world: World, actor: Actor, *, only: str = "") -> list[str]:
    """Send every request of the table as one actor; return what is not as the table says."""
    wrong = []
    before = rows()
    for row in [*(ROWS if actor.walks_all else ()), *LINK_ROWS]:
        if only not in str(row):
            continue
        with undone():
            answer = ask(world, actor, row)
            found = Answer(
                answer.status_code,
                frozenset("self" if who == actor.user else who for who in changed(before, world)),
                frozenset() if actor.user == "A" else frozenset(seen(answer)),
            )
        if found != expected(actor, row):
            wrong.append(f"{actor.who}: {row}: {found} instead of {expected(actor, row)}")
    return wrong


@pytest.mark.parametrize("actor", ACTORS, ids=lambda actor: actor.who)
def test_access_matrix(world: World, actor: Actor) -> None:
    """SL-2 to SL-5: everybody gets what the table says, changes no rows but their own, and sees nothing of A's."""
    wrong = walk(world, actor)
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_address_is_in_the_table() -> None:
    """A new address has to say first who may do what there; with GET and POST."""
    table = {(name, method) for name, method, _sent in [*ROWS, *LINK_ROWS]}
    assert all(isinstance(pattern, URLPattern) for pattern in urlpatterns)
    assert table == {(pattern.name, method) for pattern in urlpatterns for method in ("GET", "POST")}
    assert {sent for _name, _method, sent in [*ROWS, *LINK_ROWS]} == set(SENT)


@pytest.mark.parametrize("actor", ACTORS[:4], ids=lambda actor: actor.who)
def test_reading_writes_nothing(world: World, actor: Actor) -> None:
    """GET, HEAD and OPTIONS: not one statement that writes, on any address, whoever asks; no session either (CK-7)."""
    for row in {(name, "GET", sent) for name, _method, sent in [*ROWS, *LINK_ROWS]}:
        for method in ("GET", "HEAD", "OPTIONS"):
            with undone():
                request = prepare(world, actor, row, method)
                with writes() as sent_writes:
                    request()
            assert not sent_writes, (row, method, sent_writes)


@pytest.mark.parametrize("actor", ACTORS[:4], ids=lambda actor: actor.who)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_do_nothing(world: World, actor: Actor, method: str) -> None:
    """SL-3: nothing is done by another door; at most the login is asked for first."""
    before = rows()
    for row in {(name, "GET", "") for name, _method, _sent in [*ROWS, *LINK_ROWS]}:
        answer = ask(world, actor, row, method=method)
        assert answer.status_code in {302, 404, 405}, row
        assert actor.user == "A" or not seen(answer), row
    assert rows() == before


def test_the_key_of_a_link_opens_nothing_else(world: World) -> None:
    """SL-4: with it one sees the page of the link, and not even the owner gets anywhere else."""
    world.private.key = world.shared.key = world.live
    for actor in ACTORS[:3]:
        for row in ROWS:
            takes_key = row[0] == "api_wish_list" or world.live in address(world, row[0], "")
            if takes_key and row[:2] != ("list_items", "GET") and expected(ACTORS[0], row).status != 405:
                with undone():
                    assert ask(world, actor, row).status_code == 404, (actor.who, row)


# Teeth --------------------------------------------------------------------------------------------


def break_owners(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every account own every list."""
    monkeypatch.setattr(ProductListQuerySet, "of", lambda lists, user: lists.all())


def break_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every account own every item."""
    monkeypatch.setattr(ListItemQuerySet, "of", lambda items, user: items.all())


def break_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a link that was revoked, or never made, show some list."""
    found = ListItem.objects.filter(list__name="Bicycle").select_related("list")
    monkeypatch.setattr("wishlists.views.sharing.shown_by", lambda key: (found[0].list, list(found)))


def break_additions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a link show what was added after it was made."""
    ProductList.objects.update(shares_additions=True)


MUTANTS = [
    (break_owners, "other user", "'list', 'GET'"),
    (break_owners, "other user", "'list_delete', 'POST'"),
    (break_owners, "other user", "'list_choose', 'POST'"),
    (break_owners, "other user", "'ask', 'GET'"),
    (break_owners, "other user", "'api_wish_list', 'GET'"),
    (break_items, "other user", "'saved', 'GET'"),
    (break_links, "holder of a revoked link", "'shared', 'GET'"),
    (break_additions, "holder of a link", "'shared', 'GET'"),
]


@pytest.mark.teeth
@pytest.mark.parametrize(("mutant", "who", "complaint"), MUTANTS)
def test_the_matrix_has_teeth(
    world: World, monkeypatch: pytest.MonkeyPatch, mutant: Callable[..., None], who: str, complaint: str
) -> None:
    """With a guard taken away, the table does not hold any more."""
    mutant(monkeypatch)
    actor = next(each for each in ACTORS if each.who == who)
    wrong = walk(world, actor, only=complaint)
    assert wrong
