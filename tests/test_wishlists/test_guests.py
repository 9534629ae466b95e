"""Whatever a guest does: no row, no session, no cookie above its limit; whatever a cookie holds: a page (D7)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from wishlists import cookies, givers, notes, urls
from wishlists.catalog import ProductCard
from wishlists.conf import app_settings
from wishlists.cookies import Kept
from wishlists.kinds import CART, COMPARE, RECENT, SAVED, get_kind
from wishlists.lines import Line, Lines, key_text
from wishlists.models import Inquiry, ListItem, ProductList

from .catalogs import MemoryCatalog, euro
from .conftest import close_browser

pytestmark = pytest.mark.django_db

KINDS = (CART, SAVED, COMPARE, RECENT)
#: Servers often take 8,190 bytes for a line of the request; the site's own cookies need room, too.
ALL_TOGETHER = 7600
#: 302: there is nothing to put into a file, and the way leads back to the page.
GOOD = (200, 302, 303, 404, 422)
MANY = 1000

#: What a guest may open without a key, with what makes it a page. Everything else of the app is in one of the next two.
PAGES = {
    "cart": "",
    "saved": "",
    "compare": "",
    "compare_sheet": "format=csv",
    "recent": "",
    "saved_export": "",
    "state": "",
    "device": "",
    "left": "",
    "ask": "product=tea",
    "api": "",
}
#: What a guest may send, by address, with the actions it knows.
POSTS: dict[str, tuple[str, ...]] = {
    "cart_add": ("",),
    "cart_change": ("",),
    "cart_save": ("",),
    "saved_add": ("", "add", "remove"),
    "saved_change": ("",),
    "saved_move": ("",),
    "compare_change": ("add", "remove", "clear", "replace"),
    "recent_change": ("on", "view", "off"),
    "device": ("keep", "session", "forget", "hush"),
    "left": ("open", "save", "forget"),
}
#: Needs an account or a key, or is there to write something: a question to the shop, a mark on somebody's wish list.
#: Those have tests of their own.
OTHERS = {
    "api_list",
    "api_shared",
    "api_wish_list",
    "api_wish_lists",
    "ask",
    "ask_sent",
    "list",
    "list_choose",
    "list_delete",
    "list_edit",
    "list_export",
    "list_items",
    "list_new",
    "list_share",
    "lists",
    "merge",
    "merge_undo",
    "receipt",
    "shared",
    "shared_gift",
}

LONG = [f"{number:03}" + "é" * 60 + "€𝛼" for number in range(80)]
SHORT = ["tea", "pot", "cup", "none", "dear", "free", "unknown", "\0", "", *(f"sku-{number}" for number in range(12))]


@pytest.fixture(autouse=True)
def shop(site: Any) -> None:
    """All kinds are on, and some products have references as long as can be."""
    site.THANKYOU_WISHLISTS = {
        **site.THANKYOU_WISHLISTS,
        "KINDS": {RECENT: {"is_on": True}, CART: {"max_items": 200}},
        "CHECKOUT_URL": "checkout",
    }
    long = {ref: ProductCard(ref=ref, title=ref, url="", price=euro(3)) for ref in LONG}
    MemoryCatalog.products = {**MemoryCatalog.products, **long}


def address(name: str) -> str:
    return reverse(f"thankyou_wishlists:{name}")


def sizes(client: Client) -> dict[str, int]:
    """Bytes of the cookies as the browser sends them."""
    return {
        name: len(f"{name}={SimpleCookie().value_encode(morsel.value)[1]}".encode())
        for name, morsel in client.cookies.items()
        if morsel.value
    }


def check_cookies(client: Client) -> None:
    found = sizes(client)
    for kind in KINDS:
        assert found.get(app_settings.cookie_name(kind), 0) <= get_kind(kind).max_bytes, kind
    assert found.get(app_settings.note_cookie_name, 0) <= 256
    assert sum(found.values()) + 2 * len(found) < ALL_TOGETHER
    assert set(found) <= {"cart", "cart_saved", "cart_compare", "cart_recent", "cart_note", "cart_open"}


def test_every_address_is_known_here():
    """A new address has to say whether a guest may use it."""
    names = {pattern.name for pattern in urls.urlpatterns}
    assert names == {*PAGES, *POSTS, *OTHERS}


REFS = st.one_of(st.sampled_from(SHORT), st.sampled_from(LONG))
STEPS = st.one_of(
    st.tuples(st.just("GET"), st.sampled_from(sorted(PAGES)), st.just({})),
    *(
        st.tuples(
            st.just("POST"),
            st.just(name),
            st.fixed_dictionaries(
                {
                    "action": st.sampled_from([*actions, "x"]),
                    "product_ref": REFS,
                    "options": st.sampled_from(["", "", "", "red", "\ud800", "é" * 128]),
                    "quantity": st.sampled_from(["1", "2", "99", "0", "-1", "x", "", "100"]),
                    "to": st.sampled_from(["cart", "x"]),
                    "next": st.sampled_from(["", "/plain/", "/cart/", "//evil"]),
                },
                optional={
                    "all": st.just("1"),
                    "item": st.lists(REFS.map(lambda ref: key_text((ref, ""))), max_size=3),
                    "replace": REFS.map(lambda ref: key_text((ref, ""))),
                    "park": st.just("1"),
                },
            ),
        )
        for name, actions in POSTS.items()
    ),
    st.tuples(st.just("CLOSE"), st.just(""), st.just({})),
    st.tuples(st.just("FILL"), st.sampled_from([CART, SAVED]), st.just({})),
)


class Tally:
    """How much was tried."""

    actions = 0
    answers: ClassVar[dict[int, int]] = {}


def fill(client: Client, kind: str) -> None:
    """Let the cookie hold as much as it can."""
    fit = cookies.fit(Lines(tuple(Line(ref, 99) for ref in LONG), kind))
    client.cookies[app_settings.cookie_name(kind)] = cookies.encode(Kept(fit.lines, Lines(kind=kind)))


def send(client: Client, method: str, name: str, data: dict[str, Any]) -> Any:
    if method == "GET":
        return client.get(f"{address(name)}?{PAGES[name]}")
    encoded = {
        key: value.encode("utf-8", "replace") if isinstance(value, str) else value for key, value in data.items()
    }
    accept = {"accept": "application/json"} if data["quantity"] in ("2", "x") else {}
    return client.post(address(name), encoded, headers=accept)


@settings(
    max_examples=28,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(st.lists(STEPS, min_size=45, max_size=60))
def _random_actions(steps: list[tuple[str, str, dict[str, Any]]]) -> None:
    client = Client()
    with CaptureQueriesContext(connection) as queries:
        for method, name, data in steps:
            if method == "CLOSE":
                close_browser(client)
                continue
            if method == "FILL":
                fill(client, name)
                continue
            response = send(client, method, name, data)
            Tally.actions += 1
            Tally.answers[response.status_code] = Tally.answers.get(response.status_code, 0) + 1
            assert response.status_code in GOOD, (response.status_code, method, name, data)
            assert not response.wsgi_request.session.accessed, (method, name)
            assert "no-store" in response.headers.get("Cache-Control", "no-store")
            check_cookies(client)
    assert not queries.captured_queries


def test_a_thousand_random_actions_write_nothing_and_begin_no_session():
    """DONE 1: no query at all, no session, no cookie above its limit, and all of ours together below the server's."""
    Tally.actions, Tally.answers = 0, {}
    _random_actions()
    assert Tally.actions >= MANY
    assert Tally.answers[200] > 50
    assert Tally.answers[303] > 50
    assert Tally.answers[422] > 20


def test_all_cookies_full_to_the_brim_are_still_served(client: Client):
    """CK-2: the limits of all kinds together leave room in the request."""
    for kind in KINDS:
        fill(client, kind)
    client.cookies["cart_gifts"] = signing.TimestampSigner(salt=givers.SALT).sign(givers.new_giver())
    client.post(address("device"), {"action": "keep"})
    client.post(address("device"), {"action": "hush"})
    client.post(address("cart_change"), {"product_ref": LONG[0], "quantity": "0"})
    found = sizes(client)
    assert {"cart", "cart_saved", "cart_compare", "cart_recent", "cart_note", "cart_open", "cart_gifts"} == set(found)
    assert sum(found.values()) + 2 * len(found) < ALL_TOGETHER
    for name, query in PAGES.items():
        assert client.get(f"{address(name)}?{query}").status_code == 200, name


def test_a_long_reference_stays_out_of_the_note(client: Client):
    """CK-2: the message comes without the title rather than not at all."""
    response = client.post(address("cart_add"), {"product_ref": LONG[0]})
    assert len(response.cookies["cart_note"].value) <= notes.LONGEST
    assert "Added: the product" in client.get(address("cart")).content.decode()


# Any bytes (CK-3).

NAMES = ("cart", "cart_saved", "cart_compare", "cart_recent", "cart_note", "cart_open", "cart_gifts")
BYTES = st.one_of(st.text(min_size=1), st.binary(min_size=1).map(lambda found: found.decode("latin-1")))


@pytest.mark.parametrize("name", NAMES)
def test_any_bytes_give_an_empty_list_on_every_page(name: str, django_assert_num_queries: Any):
    """DONE 1: the header as it comes over the wire; never a 500, nothing on the list, the bad cookie cleared."""

    @settings(max_examples=3, deadline=None)
    @given(BYTES)
    def survive(text: str) -> None:
        raw = f"{name}={text}; sessionid_not=1".encode("utf-8", "surrogatepass").decode("latin-1")
        for page, query in PAGES.items():
            response = Client().get(f"{address(page)}?{query}", HTTP_COOKIE=raw)
            assert response.status_code == (302 if page == "compare_sheet" else 200), page
            for cookie_name, morsel in response.cookies.items():
                assert morsel["max-age"] == 0 or cookie_name == "cart_open"
        state = Client().get(address("state"), HTTP_COOKIE=raw).json()
        assert not any(state["counts"].values())
        assert (state["saved"], state["left"], state["ask"]) == ([], 0, False)

    with django_assert_num_queries(0):
        survive()


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_signature_over_nonsense_is_an_empty_list_too(client: Client, kind: str):
    """CK-3: signed is not sane; another kind's cookie, another version, another shape."""
    other = SAVED if kind != SAVED else CART
    signer = signing.TimestampSigner(salt=cookies.salt(kind))
    values = [
        cookies.encode(Kept(Lines((Line("tea"),), other), Lines(kind=other))),
        *(
            signer.sign_object(payload)
            for payload in (
                [],
                {},
                None,
                [2, 0, ["tea"]],
                [1, 0, [["tea", -1]]],
                [1, 1, [], [["tea", 0]], 1],
                [1, 0, "tea"],
            )
        ),
    ]
    for value in values:
        client.cookies[app_settings.cookie_name(kind)] = value
        for page, query in PAGES.items():
            status = client.get(f"{address(page)}?{query}").status_code
            assert status == (302 if page == "compare_sheet" else 200), (page, value)
        assert not any(client.get(address("state")).json()["counts"].values())


# No personal data (CK-1).


@pytest.fixture
def marked(django_user_model: type[User]) -> Iterator[Client]:
    """A browser with a session, and an account that was just logged in, both full of markers."""
    client = Client()
    client.force_login(django_user_model.objects.create_user("marker-name", "marker@example.com", "x"))
    session = client.session
    session["cart_owner"] = "marker in the session"
    session.save()
    yield client


def payloads(client: Client) -> Iterator[Any]:
    """What anybody can read in the cookies of ours."""
    for name, morsel in client.cookies.items():
        if not morsel.value or not name.startswith("cart"):
            continue
        for kind in KINDS:
            try:
                yield signing.TimestampSigner(salt=cookies.salt(kind)).unsign_object(morsel.value)
            except signing.BadSignature:
                continue
        if name == "cart_note":
            yield signing.loads(morsel.value, salt=notes.SALT)
        if name == "cart_open":
            yield morsel.value


def act(client: Client) -> None:
    for name, actions in POSTS.items():
        for action in (*actions, actions[0]):
            if (name, action) not in (("device", "forget"), ("left", "forget"), ("recent_change", "off")):
                client.post(
                    address(name),
                    {"action": action, "product_ref": "tea", "quantity": "2", "to": "cart", "next": "/plain/"},
                )


def test_no_personal_data_reaches_any_cookie(marked: Client):
    """CK-1: references, quantities and dates; the account's own things are in no cookie (SL-2)."""
    act(marked)
    assert ListItem.objects.exists()
    assert {name for name, morsel in marked.cookies.items() if morsel.value} <= {"sessionid", "cart_note", "cart_open"}
    guest = Client()
    session = guest.session
    session["cart_owner"] = "marker in the session"
    session.save()
    guest.cookies["sessionid"] = session.session_key
    act(guest)
    found = [*payloads(marked), *payloads(guest)]
    assert len(found) >= 3
    text = json.dumps(found)
    assert "marker" not in text
    assert str(session.session_key) not in text
    for user in User.objects.all():
        assert f'"{user.pk}"' not in text


def test_a_guest_leaves_no_rows_behind(client: Client):
    act(client)
    assert not ProductList.objects.exists()
    assert not Inquiry.objects.exists()
    assert client.cookies.get("sessionid") is None
