"""The pages of wish lists: what their owner does there, what nobody else can, and what bad input gets."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from wishlists.kinds import CART
from wishlists.lines import key_text
from wishlists.lists import create_list, put_on_list
from wishlists.models import ListItem, ProductList
from wishlists.sharing import share

from .catalogs import PRODUCTS

pytestmark = pytest.mark.django_db

LISTS, NEW, CHOOSE = "/lists/", "/lists/new/", "/lists/choose/"
JSON = {"accept": "application/json"}
NOBODY = "x" * 22


@pytest.fixture
def wishes(customer: User) -> ProductList:
    """A wish list of ``customer`` with a tea and a pot."""
    row = create_list(user=customer, name="Birthday")
    put_on_list(list=row, product_ref="tea", quantity=2, card=PRODUCTS["tea"])
    put_on_list(list=row, product_ref="pot", options="red", card=PRODUCTS["pot"], note="for two", priority=1)
    return row


@pytest.fixture
def theirs(django_user_model: type[User]) -> ProductList:
    """Somebody else's wish list."""
    row = create_list(user=django_user_model.objects.create_user("other"), name="Secret")
    put_on_list(list=row, product_ref="tea", card=PRODUCTS["tea"], note="theirs")
    return row


def url(row: ProductList | str, name: str = "list") -> str:
    return reverse(f"thankyou_wishlists:{name}", args=[row if isinstance(row, str) else row.key])


def do(client: Client, row: ProductList | str, action: str, **data: Any) -> Any:
    return client.post(url(row, "list_items"), {"action": action, **data})


def page(client: Client, row: ProductList) -> str:
    response = client.get(url(row))
    assert response.status_code == 200
    return str(response.content.decode())


def everything() -> list[Any]:
    return [
        list(ProductList.objects.order_by("pk").values("owner", "kind", "name", "share_key")),
        list(ListItem.objects.order_by("pk").values("list", "product_ref", "options", "quantity", "note", "priority")),
    ]


def cart_of(user: User) -> list[tuple[str, str, int]]:
    items = ListItem.objects.of(user).filter(list__kind=CART).order_by("pk")
    return [(item.product_ref, item.options, item.quantity) for item in items]


# Who ------------------------------------------------------------------------------------------------

PAGES = ["list", "list_edit", "list_delete", "list_share"]
POSTS = [
    ("list_edit", {"name": "Mine"}),
    ("list_delete", {}),
    ("list_share", {"action": "share"}),
    ("list_items", {"action": "add", "product_ref": "free"}),
    ("list_items", {"action": "change", "product_ref": "tea", "note": "mine"}),
    ("list_items", {"action": "remove", "all": "1"}),
    ("list_items", {"action": "undo"}),
    ("list_items", {"action": "cart", "all": "1"}),
]


@pytest.mark.parametrize("name", PAGES)
def test_anothers_page_is_as_unknown_as_none(member: Client, theirs: ProductList, name: str) -> None:
    """SL-3: foreign and unknown keys get the same 404."""
    foreign, unknown = member.get(url(theirs, name)), member.get(url(NOBODY, name))
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.content.replace(theirs.key.encode(), NOBODY.encode()) == unknown.content


@pytest.mark.parametrize(("name", "data"), POSTS)
def test_anothers_list_cannot_be_changed(
    member: Client, customer: User, wishes: ProductList, theirs: ProductList, name: str, data: dict[str, str]
) -> None:
    """SL-3: every mutation, with a key that somebody got to know."""
    before = everything()
    foreign, unknown = member.post(url(theirs, name), data), member.post(url(NOBODY, name), data)
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert everything() == before
    assert cart_of(customer) == []


def test_nothing_moves_between_two_owners(member: Client, wishes: ProductList, theirs: ProductList) -> None:
    """SL-3: neither to somebody else's list nor from it, nor is a product put there."""
    before = everything()
    item = key_text(("tea", ""))
    for source, target in ((wishes, theirs.key), (theirs, wishes.key), (wishes, NOBODY), (wishes, "\0")):
        assert do(member, source, "move", item=item, to=target).status_code == 404
    for key in (theirs.key, NOBODY, "\0"):
        assert member.post(CHOOSE, {"product_ref": "free", "list": key}).status_code == 404
    assert everything() == before


@pytest.mark.parametrize("name", [*PAGES, "list_items"])
def test_a_guest_is_sent_to_the_login(client: Client, wishes: ProductList, name: str) -> None:
    """And a program gets 401. After logging in one comes to a page, also if a POST was sent."""
    before = everything()
    if name != "list_items":
        assert client.get(url(wishes, name)).headers["Location"].startswith("/log-in/?next=/lists/")
    response = client.post(url(wishes, name), {"action": "remove", "all": 1})
    assert response.status_code == 302
    assert client.post(url(wishes, name), headers=JSON).status_code == 401
    assert everything() == before
    assert do(client, wishes, "remove", all=1).headers["Location"] == f"/log-in/?next={url(wishes)}"


@pytest.mark.parametrize("path", [LISTS, NEW, CHOOSE + "?product_ref=tea"])
def test_pages_are_private(member: Client, wishes: ProductList, path: str) -> None:
    """CM: no cache and no search engine keeps them."""
    for each in (path, *(url(wishes, name) for name in PAGES)):
        response = member.get(each)
        assert response.status_code == 200
        assert "no-store" in response.headers["Cache-Control"]
        assert response.headers["X-Robots-Tag"] == "noindex"


def test_another_site_cannot_post(customer: User, wishes: ProductList) -> None:
    """No token in the page, but the browser says where a POST comes from (origin)."""
    before = everything()
    client = Client(enforce_csrf_checks=True)
    client.force_login(customer)
    paths = [(url(wishes, name), data) for name, data in POSTS]
    for path, data in [*paths, (NEW, {"name": "x"}), (CHOOSE, {"product_ref": "tea", "name": "x"})]:
        response = client.post(path, data, headers={"sec-fetch-site": "cross-site"})
        assert response.status_code == 403
    assert everything() == before
    assert client.post(NEW, {"name": "x"}, headers={"sec-fetch-site": "same-origin"}).status_code == 303


def test_looking_changes_nothing(member: Client, wishes: ProductList, django_assert_num_queries: Any) -> None:
    """CK-7: no GET writes."""
    before = everything(), list(ProductList.objects.values("changed_at", "last_removed"))
    for path in (LISTS, NEW, CHOOSE + "?product_ref=tea", *(url(wishes, name) for name in PAGES)):
        assert "sessionid" not in member.get(path).cookies
    assert (everything(), list(ProductList.objects.values("changed_at", "last_removed"))) == before


def test_a_shop_without_wish_lists_has_no_such_pages(member: Client, wishes: ProductList, site: Any) -> None:
    row = share(list=wishes)
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"wish": {"is_on": False}}}
    for path in (LISTS, NEW, CHOOSE, *(url(wishes, name) for name in PAGES), f"/shared/{row.share_key}/"):
        assert member.get(path).status_code == 404


# Lists ----------------------------------------------------------------------------------------------


def test_no_lists_yet(member: Client) -> None:
    """The empty state says what it is for, and has the button."""
    text = member.get(LISTS).content.decode()
    assert "A wish list is for" in text
    assert f'href="{NEW}"' in text


def test_a_list_is_begun_renamed_and_deleted(member: Client, customer: User) -> None:
    response = member.post(NEW, {"name": " New\0 kitchen "})
    row = ProductList.objects.get(owner=customer)
    assert (response.status_code, response.headers["Location"], row.name) == (303, url(row), "New kitchen")
    text = page(member, row)
    assert "Nobody but you sees it." in text
    assert "Nothing on this list yet." in text
    assert 'value="New kitchen"' in member.get(url(row, "list_edit")).content.decode()
    member.post(url(row, "list_edit"), {"name": "Kitchen"})
    assert "Kitchen" in member.get(LISTS).content.decode()
    assert b"This cannot be undone." in member.get(url(row, "list_delete")).content
    assert ProductList.objects.exists()
    assert member.post(url(row, "list_delete")).headers["Location"] == LISTS
    assert not ProductList.objects.exists()
    assert b"The list is deleted." in member.get(LISTS).content


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "Give the list a name."),
        ("\0\n", "Give the list a name."),
        ("x" * 81, "80 characters"),
        ("birthday", "already"),
    ],
)
def test_a_bad_name_is_said_beside_the_field(member: Client, wishes: ProductList, name: str, said: str) -> None:
    other = create_list(user=wishes.owner, name="Kitchen")
    for path in (NEW, url(other, "list_edit")):
        response = member.post(path, {"name": name})
        assert response.status_code == 422
        assert said in response.content.decode()
        assert name.strip("\0\n") in response.content.decode()
        answer = member.post(path, {"name": name}, headers=JSON)
        assert (answer.status_code, set(answer.json()["errors"])) == (422, {"name"})
    assert ProductList.objects.count() == 2


def test_the_last_list_that_fits(member: Client, wishes: ProductList, site: Any) -> None:
    """SL-6."""
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"wish": {"max_lists": 1}}}
    assert "Begin another list" not in member.get(LISTS).content.decode()
    response = member.post(NEW, {"name": "More"})
    assert response.status_code == 422
    assert b"You can have up to 1 wish lists." in response.content
    assert member.post(CHOOSE, {"product_ref": "tea", "name": "More"}).status_code == 422


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "قائمة \u202eevil", "👩‍👩‍👧 50", "{{ settings }}", "a&b"]
)
def test_whatever_a_list_is_called(member: Client, name: str) -> None:
    """It is text everywhere, and turns no line around."""
    member.post(NEW, {"name": name})
    row = ProductList.objects.get()
    put_on_list(list=row, product_ref="tea")
    share(list=row)
    row.refresh_from_db()
    paths = [LISTS, CHOOSE + "?product_ref=tea", *(url(row, each) for each in PAGES), f"/shared/{row.share_key}/"]
    for path in paths:
        text = member.get(path).content.decode()
        assert "<script>alert" not in text
        assert "\u202e" not in text


# From a product's page ------------------------------------------------------------------------------


def test_a_guest_comes_back_after_logging_in(client: Client) -> None:
    """With the product, whether the link was followed or the form was sent."""
    response = client.get(CHOOSE, {"product_ref": "tea", "options": "500g"})
    assert response.headers["Location"] == "/log-in/?next=/lists/choose/%3Fproduct_ref%3Dtea%26options%3D500g"
    response = client.post(CHOOSE, {"product_ref": "tea", "options": "500g", "next": "x" * 3000})
    assert response.headers["Location"] == "/log-in/?next=/lists/choose/%3Fproduct_ref%3Dtea%26options%3D500g"
    assert client.post(CHOOSE, {"product_ref": "tea"}, headers=JSON).status_code == 401


def test_the_first_list_is_begun_with_its_first_product(member: Client, customer: User) -> None:
    text = member.get(CHOOSE, {"product_ref": "tea"}).content.decode()
    assert "Name of your first wish list" in text
    assert "Sencha" in text
    assert "errorlist" not in text
    response = member.post(CHOOSE, {"product_ref": "tea", "options": "500g", "name": "Birthday", "quantity": 3})
    row = ProductList.objects.get(owner=customer)
    assert response.headers["Location"] == url(row)
    item = row.items.get()
    assert (item.product_ref, item.options, item.quantity, item.title) == ("tea", "500g", 3, "Sencha")
    assert "On your wish list: Sencha" in page(member, row)


def test_a_product_goes_to_the_list_that_was_chosen(member: Client, wishes: ProductList) -> None:
    """``next`` is followed to pages of ours, which show the note; never to another site."""
    text = member.get(CHOOSE, {"product_ref": "free", "next": "/saved/"}).content.decode()
    assert wishes.key in text
    assert "errorlist" not in text
    to = {"/saved/": "/saved/", "/lists/": "/lists/", "//evil.example/": url(wishes), "/plain/": url(wishes)}
    for next_, there in {**to, "/nowhere/": url(wishes), "\0": url(wishes)}.items():
        response = member.post(CHOOSE, {"product_ref": "free", "list": wishes.key, "next": next_})
        assert (response.status_code, response.headers["Location"]) == (303, there)
    assert wishes.items.get(product_ref="free").quantity == 1
    answer = member.post(CHOOSE, {"product_ref": "free", "list": wishes.key}, headers=JSON).json()
    assert answer["key"] == wishes.key


def test_nothing_chosen_is_said(member: Client, wishes: ProductList) -> None:
    """422; what came along is not lost. A list and its first product are made together or not at all."""
    response = member.post(CHOOSE, {"product_ref": "free", "options": "red", "quantity": 2})
    text = response.content.decode()
    assert response.status_code == 422
    assert "Choose a list, or give a new one a name." in text
    assert 'value="red"' in text
    for name in ("Birthday", "x" * 81):
        assert member.post(CHOOSE, {"product_ref": "free", "name": name}).status_code == 422
    assert member.post(CHOOSE, {"product_ref": "free", "name": "New", "quantity": "0"}).status_code == 422
    assert ProductList.objects.count() == 1


@pytest.mark.parametrize("ref", ["", "never", "\0", "x" * 200, "\ud800"])
def test_an_unknown_product_is_a_404(member: Client, ref: str) -> None:
    """CK-3."""
    assert member.get(CHOOSE, {"product_ref": ref.encode("utf-8", "surrogatepass")}).status_code == 404
    data = {"product_ref": ref.encode("utf-8", "surrogatepass"), "name": "x"}
    assert member.post(CHOOSE, data).status_code == 404
    assert not ProductList.objects.exists()
