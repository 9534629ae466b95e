"""Recently viewed products: nothing without the shop's and the customer's own switch."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.urls import include, path
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wishlists.catalog import ProductCard
from wishlists.kinds import RECENT
from wishlists.lines import Line
from wishlists.models import ListItem
from wishlists.signals import list_changed

from .catalogs import MemoryCatalog, euro
from .conftest import kept, put

JSON = {"accept": "application/json"}
TAGS = '{% load thankyou_wishlists %}{% recently_viewed %}{% viewed "tea" %}'


def tagged(request: HttpRequest) -> HttpResponse:
    """A page of a shop with all tags of this file and of the comparison."""
    template = Template(TAGS + '{% compare_button "tea" %}' if "tags" in request.GET else "bare")
    return HttpResponse(template.render(Context({"request": request})))


urlpatterns = [path("", include("wishlists.urls")), path("page/", tagged)]


@pytest.fixture
def turned_on(site: Any) -> None:
    """A shop that has it."""
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"recent": {"is_on": True}}}


def act(client: Client, action: str, ref: str = "", *, json: bool = True, **more: Any) -> Any:
    data = {"action": action, "product_ref": ref, **more}
    return client.post("/recent/change/", data, headers=JSON if json else None)


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def seen(client: Client) -> list[str]:
    return [ref for ref, _quantity in kept(client, RECENT)]


def test_it_is_off_by_default(client: Client):
    """Issue 4: off unless the shop turns it on."""
    assert client.get("/recent/").status_code == 404
    for action in ("on", "off", "clear", "view", ""):
        assert act(client, action, "tea").status_code == 404
    assert Template(TAGS).render(Context({})).strip() == ""
    assert "recent" not in client.get("/lists/state/").json()["counts"]
    assert not client.cookies


@pytest.mark.usefixtures("turned_on")
@given(actions=st.lists(st.tuples(st.sampled_from(["view", "off", "clear", "", "x"]), st.sampled_from(["tea", "pot"]))))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_recorded_without_the_switch(actions: list[tuple[str, str]]):
    """CK-6: only what the customer asked for."""
    client = Client()
    for action, ref in actions:
        act(client, action, ref)
        client.get("/recent/")
    assert seen(client) == []
    assert client.get("/lists/state/").json()["counts"]["recent"] == 0
    assert not any(morsel.value for morsel in client.cookies.values() if "note" not in morsel.key)


@pytest.mark.usefixtures("turned_on")
def test_on_begins_with_the_product_at_hand(client: Client, db: None, django_assert_num_queries: Any):
    """An empty list has no cookie, so the switch is the list itself; it goes with the browser's session."""
    with django_assert_num_queries(0):
        answer = act(client, "on", "tea")
        assert answer.json()["state"]["counts"]["recent"] == 1
        assert answer.json()["products"] == []  # it is on the screen already
        assert not client.cookies["cart_recent"]["max-age"]
        assert client.cookies["cart_recent"]["httponly"]
        answer = act(client, "view", "pot")
    assert seen(client) == ["tea", "pot"]
    assert [product["title"] for product in answer.json()["products"]] == ["Sencha"]
    assert answer.json()["products"][0]["price"] == "€12.50"
    assert not Session.objects.exists()


@pytest.mark.usefixtures("turned_on")
@pytest.mark.parametrize("ref", ["", "lost", "a\x00b", "x" * 129])
def test_it_begins_with_a_product_only(client: Client, ref: str):
    """CK-3."""
    assert act(client, "on", ref).status_code == 422
    page = act(client, "on", ref, json=False)
    assert page.status_code == 422
    assert "not in the shop any more" in text(page)
    assert seen(client) == []


@pytest.mark.usefixtures("turned_on")
def test_what_is_seen_again_comes_first_and_the_oldest_go(client: Client):
    act(client, "on", "sku-0")
    for n in [*range(1, 14), 5]:
        assert act(client, "view", f"sku-{n}").status_code == 200
    assert seen(client) == [f"sku-{n}" for n in (2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 5)]
    page = text(client.get("/recent/"))
    assert page.index("Thing 5<") < page.index("Thing 13<") < page.index("Thing 2<")
    act(client, "view", "sku-5")
    assert seen(client)[-1] == "sku-5"


@pytest.mark.usefixtures("turned_on")
def test_where_the_cookie_is_full_the_oldest_go(client: Client):
    """Nobody is bothered because of something merely looked at."""
    refs = [f"{n:02}" + "äöüßéè"[n % 6] * 40 + f"{n * 7919:x}" * 10 for n in range(12)]
    for ref in refs:
        MemoryCatalog.products[ref] = ProductCard(ref=ref, title="Long", url="", price=euro(1))
    act(client, "on", refs[0])
    for ref in refs[1:]:
        assert act(client, "view", ref).status_code == 200
        assert seen(client)[-1] == ref
    assert len(client.cookies["cart_recent"].value) + len("cart_recent=") <= 500


@pytest.mark.usefixtures("turned_on")
@pytest.mark.parametrize("action", ["off", "clear"])
def test_stop_forgets(client: Client, action: str):
    act(client, "on", "tea")
    answer = act(client, action)
    assert "forgotten" in answer.json()["message"]
    assert answer.json()["products"] == []
    assert client.cookies["cart_recent"].value == ""
    act(client, "view", "pot")
    assert seen(client) == []


@pytest.mark.usefixtures("turned_on")
def test_the_page_works_without_a_script(client: Client):
    assert "Nothing is remembered." in text(client.get("/recent/"))
    assert act(client, "on", "tea", json=False, next="/p/tea/").headers["Location"] == "/p/tea/"
    act(client, "view", "cup", json=False)
    page = client.get("/recent/")
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert "no-store" in page.headers["Cache-Control"]
    assert not page.cookies
    page = text(page)
    assert page.index("Yunomi &lt;b&gt;") < page.index("Sencha")
    assert "Not available at the moment" in page
    assert "Stop and forget" in page
    assert act(client, "off", json=False).headers["Location"] == "/recent/"
    assert "What you looked at is forgotten" in text(client.get("/recent/"))


@pytest.mark.usefixtures("turned_on")
def test_the_device_is_at_hand(client: Client):
    """CK-5, CK-6: what an earlier visit left, and "forget everything here", on this page of the lists too."""
    put(client, Line("tea"), kind=RECENT)
    put(client, Line("pot"), keep=True, is_open=False)
    page = text(client.get("/recent/"))
    assert "Forget everything here" in page
    assert "1 product was left on this device by an earlier visit." in page
    assert "Forget everything here" not in text(Client().get("/recent/"))


@pytest.mark.usefixtures("turned_on")
def test_what_fits_into_no_cookie_is_not_remembered(client: Client, site: Any):
    """It is no harm: what was remembered stays."""
    long = hashlib.sha512(b"long").hexdigest()
    MemoryCatalog.products[long] = ProductCard(ref=long, title="Long", url="", price=euro(1))
    act(client, "on", "tea")
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"recent": {"is_on": True, "max_bytes": 150}}}
    assert act(client, "view", long).status_code == 200
    assert seen(client) == ["tea"]


@pytest.mark.usefixtures("turned_on")
def test_one_question_shows_all(client: Client):
    put(client, *(Line(f"sku-{n}") for n in range(12)), kind=RECENT)
    MemoryCatalog.calls.clear()
    client.get("/recent/")
    assert len(MemoryCatalog.calls) == 1
    assert len(client.get("/recent/", headers=JSON).json()["products"]) == 12


@pytest.mark.usefixtures("turned_on")
def test_what_left_the_shop_is_left_out(client: Client):
    put(client, Line("lost"), kind=RECENT)
    assert "not in the shop any more" in text(client.get("/recent/"))
    assert client.get("/recent/", headers=JSON).json()["products"] == []


@pytest.mark.usefixtures("turned_on")
def test_an_account_has_rows_and_the_same_switch(member: Client, customer: User):
    """The device keeps nothing of it (SL-2)."""
    act(member, "view", "tea")
    assert not ListItem.objects.of(customer).exists()
    act(member, "on", "tea")
    act(member, "view", "pot")
    act(member, "view", "tea")
    found = ListItem.objects.of(customer).filter(list__kind=RECENT)
    assert [(item.product_ref, item.title) for item in found] == [("pot", "Kyusu"), ("tea", "Sencha")]
    assert "cart_recent" not in member.cookies
    assert "Kept in your account for 30 days" in text(member.get("/recent/"))
    act(member, "off")
    assert not ListItem.objects.of(customer).exists()


@pytest.mark.usefixtures("turned_on")
@pytest.mark.parametrize("number", [1, 12])
def test_an_accounts_page_costs_three_queries(member: Client, number: int, django_assert_num_queries: Any):
    act(member, "on", "sku-0")
    for n in range(1, number):
        act(member, "view", f"sku-{n}")
    with django_assert_num_queries(3):
        member.get("/recent/")


@pytest.mark.usefixtures("turned_on")
def test_looking_is_not_saving(member: Client, customer: User, site: Any):
    """SL-6: the limit of a minute is for what is saved; looking at products does not use it up."""
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "ADDS_PER_MINUTE": 1}
    for action, ref in [("on", "tea"), ("view", "pot"), ("view", "cup")]:
        assert act(member, action, ref).status_code == 200
    assert ListItem.objects.of(customer).count() == 3
    assert member.post("/compare/change/", {"action": "add", "product_ref": "tea"}).status_code == 303


@pytest.mark.usefixtures("turned_on")
def test_nobody_else_is_told(client: Client):
    """CK-6: used for nothing else."""
    heard: list[Any] = []

    def hear(**kwargs: Any) -> None:
        heard.append(kwargs)

    list_changed.connect(hear)
    try:
        act(client, "on", "tea")
        act(client, "view", "pot")
        act(client, "off")
    finally:
        list_changed.disconnect(hear)
    assert heard == []


@pytest.mark.usefixtures("turned_on")
def test_the_tags_read_nothing_of_the_visitor(client: Client, site: Any):
    """CK-7: the page around them is the same for everybody."""
    request = RequestFactory().get("/")
    request.COOKIES = pytest.fail  # type: ignore[assignment]
    html = Template(TAGS).render(Context({"request": request}))
    assert "<ty-recently-viewed" in html
    assert 'data-product-ref="tea"' in html
    assert "checked" not in html
    assert "csrf" not in html


@pytest.mark.usefixtures("turned_on")
def test_a_page_with_the_tags_is_as_cacheable_as_without(member: Client, client: Client, site: Any):
    """CK-7: the same headers, no cookie, also for those who have lists."""
    site.ROOT_URLCONF = __name__
    put(client, Line("tea"), kind=RECENT)
    act(member, "on", "tea")
    for browser in (Client(), client, member):
        bare, page = browser.get("/page/"), browser.get("/page/?tags")
        assert b"ty-recently-viewed" in page.content
        assert dict(page.headers) == dict(bare.headers)
        assert not page.cookies


@pytest.mark.usefixtures("turned_on")
def test_others_cannot_post(client: Client):
    answer = Client(enforce_csrf_checks=True).post(
        "/recent/change/", {"action": "on", "product_ref": "tea"}, headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == 403
