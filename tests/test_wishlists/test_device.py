"""What this browser keeps, as its owner sees it: for how long, what an earlier visit left, and how to get rid of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from wishlists.kinds import CART, COMPARE, SAVED
from wishlists.lines import Line
from wishlists.signals import list_changed

from .catalogs import MemoryCatalog, euro
from .conftest import close_browser, cookie, kept, put

JSON = {"accept": "application/json"}
DEVICE, LEFT = "/lists/device/", "/lists/left/"


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def change(site: Any, **given: Any) -> None:
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, **given}


def leave(client: Client, *lines: Line, kind: str = CART) -> None:
    """Let an earlier visit have left something."""
    put(client, *lines, kind=kind, keep=True, is_open=False)


def left(client: Client, kind: str = CART) -> list[tuple[str, int]]:
    """What is there to be asked for."""
    found = cookie(client, kind)
    if found is None:
        return []
    lines = [*found.left, *found.lines] if "cart_open" not in client.cookies else found.left
    return [(line.product_ref, line.quantity) for line in lines]


class History(MemoryCatalog):
    """Knows what things cost then."""

    def get_prices_at(self, *, refs: Any, at: datetime) -> dict[str, Any]:
        asked.append(at)
        return {ref: price for ref, price in then.items() if ref in refs}


then: dict[str, Any] = {"tea": euro(10), "pot": euro(75), "free": euro(0)}
asked: list[datetime] = []


# The page of the device.


def test_the_page_says_in_plain_words_what_is_kept_and_how_much(client: Client):
    """CK-6: numbers only, where it is, for how long, and who sees it."""
    put(client, Line("tea", 5), Line("pot", 1))
    put(client, Line("cup", 1), kind=SAVED)
    put(client, Line("cup", 1), kind=COMPARE)
    page = text(client.get(DEVICE))
    assert "In a cookie on this device. Only this browser has it; we do not see it." in page
    for words in ("2 products", "1 product", "Cart", "Saved for later", "Comparison", "until you close the browser"):
        assert words in page
    for button in ("Keep on this device for 30 days", "Forget everything here"):
        assert button in page
    assert "Only until I close the browser" not in page
    assert not MemoryCatalog.calls, "nobody has asked what it is"
    assert "Sencha" not in page
    assert "csrfmiddlewaretoken" not in page


def test_the_page_without_anything_says_so(client: Client):
    page = text(client.get(DEVICE))
    assert "Nothing of yours is kept on this device" in page
    assert "<form" not in page.partition("<main")[2]


def test_keeping_and_not_keeping_are_one_click_each(client: Client, site: Any):
    """CK-6: the duration is stated; said once, shown once."""
    change(site, KEEP_DAYS=14)
    put(client, Line("tea", 2))
    response = client.post(DEVICE, {"action": "keep"})
    assert (response.status_code, response.headers["Location"]) == (303, DEVICE)
    page = text(client.get(DEVICE))
    assert page.count("Kept on this device for 14 days after your last change.") == 3, (
        "the news, also in the title, and the state"
    )
    assert "Only until I close the browser" in page
    assert text(client.get(DEVICE)).count("Kept on this device for 14 days") == 1
    client.post(DEVICE, {"action": "session"})
    assert "Kept until you close the browser." in text(client.get(DEVICE))
    found = cookie(client)
    assert found is not None
    assert not found.keep


def test_nothing_cannot_be_kept(client: Client):
    client.post(DEVICE, {"action": "keep"})
    assert "Nothing is on this device that could be kept" in text(client.get(DEVICE))
    put(client, Line("tea", 1), kind=COMPARE)
    response = client.post(DEVICE, {"action": "keep"})
    assert "cart_compare" not in response.cookies, "a comparison goes with the browser"


def test_forgetting_everything_leaves_nothing_of_ours(client: Client):
    """CK-5: all kinds, what was left, the marker, and what this browser is getting from shared lists."""
    put(client, Line("tea", 2), keep=True, left=[Line("pot", 1)])
    put(client, Line("cup", 1), kind=SAVED)
    put(client, Line("cup", 1), kind=COMPARE)
    client.cookies["cart_gifts"] = "whatever"
    client.cookies["other"] = "the shop's"
    client.post(DEVICE, {"action": "forget"})
    assert {name for name, morsel in client.cookies.items() if morsel.value} == {"other", "cart_note"}
    assert "nothing of yours is left on this device" in text(client.get(DEVICE))


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example", "/\\evil", "javascript:alert(1)"])
def test_next_leads_back_and_never_away(client: Client, next_url: str):
    """ASVS 3.7.2."""
    put(client, Line("tea", 2))
    assert client.post(DEVICE, {"action": "keep", "next": "/plain/?x=1"}).headers["Location"] == "/plain/?x=1"
    assert client.post(DEVICE, {"action": "keep", "next": next_url}).headers["Location"] == DEVICE


@pytest.mark.parametrize("url", [DEVICE, LEFT])
@pytest.mark.parametrize("action", ["", "x", "\0", "KEEP", "\ud800"])
def test_an_unknown_action_changes_nothing(client: Client, url: str, action: str):
    put(client, Line("tea", 2))
    before = client.cookies["cart"].value
    response = client.post(url, {"action": action.encode("utf-8", "surrogatepass")})
    assert response.status_code == 422
    assert "nothing was changed" in text(response)
    assert client.cookies["cart"].value == before
    assert client.post(url, {"action": "x"}, headers=JSON).status_code == 422


@pytest.mark.parametrize("url", [DEVICE, LEFT])
def test_the_pages_are_private(client: Client, url: str):
    leave(client, Line("tea", 2))
    before = dict(client.cookies)
    response = client.get(url)
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert not response.cookies, "a GET changes nothing"
    assert dict(client.cookies) == before
    assert client.head(url).status_code == 200
    assert client.put(url).status_code == 405
    other = Client(enforce_csrf_checks=True)
    assert other.post(url, {"action": "forget"}, headers={"sec-fetch-site": "cross-site"}).status_code == 403


# What an earlier visit left.


def test_only_a_number_until_it_is_asked_for(client: Client):
    """CK-5: gifts, health, a shared computer."""
    leave(client, Line("tea", 2), Line("pot", 1))
    leave(client, Line("cup", 1), kind=SAVED)
    state = client.get("/lists/state/").json()
    assert (state["left"], state["counts"]["cart"], state["saved"]) == (3, 0, [])
    for url in ("/cart/", "/saved/", DEVICE):
        page = text(client.get(url))
        assert "Sencha" not in page
        assert "Kyusu" not in page
    assert "3 products from an earlier visit" not in text(client.get(DEVICE)), "each list has its own number"
    assert "2 products from an earlier visit" in text(client.get(DEVICE))


def test_it_is_shown_line_by_line_with_what_has_changed(client: Client, site: Any):
    """CK-4: today's prices and stock, beside those of then where the shop knows them."""
    change(site, CATALOG="tests.test_wishlists.test_device.History")
    asked.clear()
    leave(client, Line("tea", 2), Line("pot", 5), Line("cup", 1), Line("unknown", 1), Line("free", 1))
    found = cookie(client)
    assert found is not None
    page = text(client.get(LEFT))
    assert asked == [found.at]
    assert len(MemoryCatalog.calls) == 1
    for words in (
        "Sencha",
        "€12.50",
        "The price is higher now; it was €10.00 then.",
        "The price is lower now; it was €75.00 then.",
        "Only 3 of 5 are left.",
        "It cannot be ordered at the moment.",
        "It is no longer sold.",
        "A product that is no longer in the shop",
        "Yunomi &lt;b&gt;",
    ):
        assert words in page
    assert page.count("it was") == 2, "what costs the same needs no word"
    assert kept(client) == [("tea", 2), ("pot", 5), ("cup", 1), ("unknown", 1), ("free", 1)], "looking opens nothing"


def test_a_price_in_another_currency_is_no_difference(client: Client, site: Any, monkeypatch: pytest.MonkeyPatch):
    change(site, CATALOG="tests.test_wishlists.test_device.History")
    monkeypatch.setitem(then, "tea", euro(10) * 1)
    then["tea"].currency = "USD"
    leave(client, Line("tea", 2))
    assert "it was" not in text(client.get(LEFT))


def test_the_page_without_anything_left_says_so(client: Client):
    put(client, Line("tea", 2))
    assert "Nothing is left here from an earlier visit" in text(client.get(LEFT))
    client.post(LEFT, {"action": "open"})
    assert "so nothing was changed" in text(client.get(LEFT))


@pytest.mark.parametrize(
    ("lines", "saved", "to"),
    [
        ([Line("tea", 2)], [], "/cart/"),
        ([Line("tea", 2)], [Line("pot", 1)], "/cart/"),
        ([], [Line("pot", 1)], "/saved/"),
    ],
)
def test_putting_back_leads_to_where_it_is(client: Client, lines: list[Line], saved: list[Line], to: str):
    """CK-5: into the same lists, by a click, said once."""
    leave(client, *lines)
    leave(client, *saved, kind=SAVED)
    response = client.post(LEFT, {"action": "open"})
    assert (response.status_code, response.headers["Location"]) == (303, to)
    assert f"Products put back: {len(lines) + len(saved)}" in text(client.get(to))
    state = client.get("/lists/state/").json()
    assert (state["left"], state["counts"]["cart"]) == (0, sum(line.quantity for line in lines))
    assert state["counts"]["saved"] == len(saved)
    close_browser(client)
    assert client.get("/lists/state/").json()["left"] == len(lines) + len(saved), "it is still kept"


def test_what_is_put_back_joins_what_is_there(client: Client):
    """SL-1: a union, the larger quantity; nothing is lost."""
    put(client, Line("tea", 2), Line("cup", 1), keep=True, left=[Line("tea", 5), Line("pot", 1)])
    client.post(LEFT, {"action": "open"})
    assert kept(client) == [("tea", 5), ("cup", 1), ("pot", 1)]


def test_what_does_not_fit_is_said_and_stays(client: Client, site: Any):
    """CK-2: nothing disappears silently."""
    change(site, KINDS={CART: {"max_items": 2}, SAVED: {"max_items": 1}})
    put(client, Line("tea", 2), keep=True, left=[Line("pot", 1), Line("cup", 1)])
    response = client.post(LEFT, {"action": "open", "next": "/plain/"})
    assert response.headers["Location"] == LEFT
    page = text(client.get(LEFT))
    assert "Products put back: 1. There was no room for the others; they stay here." in page
    assert "Yunomi" in page
    assert kept(client) == [("tea", 2), ("pot", 1)]
    assert left(client) == [("cup", 1)]
    client.post(LEFT, {"action": "save"})
    assert (kept(client, SAVED), left(client)) == ([("cup", 1)], [])


def test_keeping_for_later_takes_all_to_the_saved_list(client: Client):
    leave(client, Line("tea", 2), Line("pot", 1))
    leave(client, Line("cup", 1), Line("tea", 1), kind=SAVED)
    heard: list[tuple[str, str, str]] = []

    def hear(**news: Any) -> None:
        heard.append((news["action"], news["kind"], news["product_ref"]))

    list_changed.connect(hear)
    try:
        response = client.post(LEFT, {"action": "save"})
    finally:
        list_changed.disconnect(hear)
    assert response.headers["Location"] == "/saved/"
    assert kept(client, SAVED) == [("cup", 1), ("tea", 2), ("pot", 1)]
    assert kept(client) == []
    assert client.get("/lists/state/").json()["left"] == 0
    assert "Products kept for later: 4" in text(client.get("/saved/"))
    assert {action for action, *_ in heard} == {"moved"}


def test_without_saving_nothing_is_kept_for_later(client: Client, site: Any):
    change(site, KINDS={SAVED: {"is_on": False}})
    leave(client, Line("tea", 2))
    assert "Keep for later" not in text(client.get(LEFT))
    assert client.post(LEFT, {"action": "save"}).status_code == 422
    assert client.get("/lists/state/").json()["left"] == 1


def test_forgetting_leaves_what_is_open(client: Client):
    put(client, Line("cup", 1), keep=True, left=[Line("tea", 2)])
    client.post(LEFT, {"action": "forget"})
    assert kept(client) == [("cup", 1)]
    assert left(client) == []
    assert "What was left on this device is forgotten." in text(client.get(LEFT))


def test_not_now_holds_until_the_browser_is_closed(client: Client):
    leave(client, Line("tea", 2))
    assert "1 product was left on this device" in text(client.get("/cart/"))
    response = client.post(DEVICE, {"action": "hush", "next": "/cart/"})
    assert (response.headers["Location"], set(response.cookies)) == ("/cart/", {"cart_open"})
    assert client.get("/lists/state/").json()["left"] == 0
    assert "was left on this device" not in text(client.get("/cart/"))
    assert "Sencha" in text(client.get(LEFT)), "it is still there for who looks for it"
    close_browser(client)
    assert client.get("/lists/state/").json()["left"] == 1


def test_scripts_get_json_with_the_new_state(client: Client):
    """CK-7: the note needs no second request."""
    leave(client, Line("tea", 2))
    answer = client.post(LEFT, {"action": "open"}, headers=JSON)
    assert answer.status_code == 200
    found = answer.json()
    assert (found["message"], found["url"], found["state"]["left"]) == ("Products put back: 1", "/cart/", 0)
    assert found["state"]["counts"]["cart"] == 2
    assert "cart_note" not in answer.cookies
    assert client.post(DEVICE, {"action": "forget"}, headers=JSON).json()["state"]["counts"]["cart"] == 0


def test_whoever_is_logged_in_is_asked_first(member: Client, customer: User):
    """CK-5, SL-1: nothing of a guest's opens, and nothing goes to the account, until that is decided."""
    leave(member, Line("tea", 2))
    state = member.get("/lists/state/").json()
    assert (state["left"], state["counts"]["cart"]) == (0, 0)
    assert member.get(LEFT).headers["Location"] == reverse("thankyou_wishlists:merge")
    assert member.post(LEFT, {"action": "open"}).headers["Location"] == reverse("thankyou_wishlists:merge")
    assert member.post(LEFT, {"action": "save"}, headers=JSON).status_code == 422
    assert not customer.product_lists.exists()
    assert left(member) == [("tea", 2)]
    page = text(member.get(DEVICE))
    assert "your lists are kept in your account" in page
    assert "1 product from an earlier visit" in page
    assert "Sencha" not in page
    assert member.post(LEFT, {"action": "forget"}).status_code == 303
    assert left(member) == []
    assert member.get(LEFT).headers["Location"] == DEVICE


# What it costs (DESIGN §6).


@pytest.fixture
def goods(site: Any, db: None) -> Iterator[list[str]]:
    change(site, CATALOG="tests.test_wishlists.catalogs.DatabaseCatalog")
    yield [str(Group.objects.create(name=f"Thing {number}").pk) for number in range(40)]


@pytest.mark.parametrize("number", [1, 20])
def test_looking_costs_one_query_and_acting_none(
    client: Client, goods: list[str], number: int, django_assert_num_queries: Any
):
    leave(client, *(Line(ref) for ref in goods[:number]))
    leave(client, *(Line(ref) for ref in goods[20 : 20 + number]), kind=SAVED)
    with django_assert_num_queries(1):
        assert client.get(LEFT).status_code == 200
    with django_assert_num_queries(0):
        assert client.get(DEVICE).status_code == 200
        for url, action in ((LEFT, "open"), (DEVICE, "keep"), (DEVICE, "session"), (DEVICE, "hush"), (LEFT, "forget")):
            assert client.post(url, {"action": action}).status_code == 303
        assert client.post(DEVICE, {"action": "forget"}).status_code == 303
