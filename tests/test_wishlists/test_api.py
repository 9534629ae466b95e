"""The lists as JSON for shops with a front end of their own: stable names, nothing cached, nothing of other people."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from djmoney.money import Money

from wishlists.gifts import mark
from wishlists.givers import new_giver
from wishlists.kinds import CART, COMPARE, KINDS, RECENT, SAVED, WISH
from wishlists.lines import Line, key_text
from wishlists.models import ListItem, ProductList
from wishlists.models.keys import make_key
from wishlists.plain import plain_money
from wishlists.sharing import share, unshare

from .catalogs import MemoryCatalog
from .conftest import put

FIELDS = {
    "key",
    "product_ref",
    "options",
    "option_title",
    "title",
    "url",
    "image_url",
    "image_alt",
    "price",
    "quantity",
    "buyable_quantity",
    "available",
    "problem",
    "parked",
    "note",
    "priority",
    "price_when_saved",
    "added",
}


def url(name: str, *args: str) -> str:
    return reverse(f"thankyou_wishlists:{name}", args=args)


def make_list(user: User, kind: str, *items: dict[str, Any], **more: Any) -> ProductList:
    row = ProductList.objects.create(owner=user, kind=kind, **more)
    for item in items:
        ListItem.objects.create(list=row, **item)
    return row


class NamingCatalog(MemoryCatalog):
    """Knows what options are called."""

    def get_option_titles(self, *, keys: Any) -> dict[tuple[str, str], str]:
        return {key: f"{key[1]} g" for key in keys if key[1].isdecimal()}


# What everybody may ask ---------------------------------------------------------------------------


def test_it_says_which_kinds_there_are_with_their_limits(client: Client, settings: Any) -> None:
    """A front end asks once: the state as the badges get it, and the policy as data."""
    settings.THANKYOU_WISHLISTS |= {"KINDS": {"saved": {"max_items": 7}}, "KEEP_DAYS": 5}
    put(client, Line("tea", 2))
    answer = client.get(url("api")).json()
    assert answer["state"] == client.get(url("state")).json()
    assert answer["state"]["counts"]["cart"] == 2
    kinds = {kind["kind"]: kind for kind in answer["kinds"]}
    assert set(kinds) == {CART, SAVED, WISH, COMPARE}  # "recent" is off
    assert kinds["saved"]["max_items"] == 7
    assert kinds["wish"]["guests"] is False
    assert kinds["cart"]["label"] == "Cart"
    assert (answer["keep_days"], answer["max_quantity"]) == (5, 99)


@pytest.mark.django_db
def test_a_guests_list_is_priced_today(client: Client, django_assert_num_queries: Any) -> None:
    """CK-4: prices come from the catalogue, as text; CK-1: of a cookie there are no dates and no titles."""
    put(client, Line("tea", 2), Line("pot", 9), Line("cup"), Line("lost", 1, "blue"))
    with django_assert_num_queries(0):
        answer = client.get(url("api_list", CART))
    assert "no-store" in answer["Cache-Control"]
    data = answer.json()
    assert (data["kind"], data["count"]) == (CART, 13)
    assert data["subtotal"] == {"amount": "205.00", "currency": "EUR"}
    tea, pot, cup, lost = data["items"]
    assert all(set(item) == FIELDS for item in data["items"])
    assert tea["key"] == key_text(("tea", ""))
    assert (tea["title"], tea["url"], tea["price"]) == ("Sencha", "/p/tea/", {"amount": "12.50", "currency": "EUR"})
    assert (tea["available"], tea["problem"], tea["added"], tea["price_when_saved"]) == (True, None, None, None)
    assert (pot["quantity"], pot["buyable_quantity"], pot["problem"]) == (9, 3, "reduced")
    assert (cup["available"], cup["problem"]) == (False, "unavailable")
    assert (lost["title"], lost["price"], lost["problem"]) == ("", None, "gone")
    assert (lost["options"], lost["option_title"]) == ("blue", "blue")
    assert len(MemoryCatalog.calls) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("number", [1, 20])
def test_an_accounts_list_costs_one_query(
    member: Client, customer: User, number: int, django_assert_num_queries: Any
) -> None:
    """Session, account, list; the catalogue here is in memory."""
    make_list(customer, SAVED, *({"product_ref": f"sku-{n}", "title": f"Thing {n}"} for n in range(number)))
    with django_assert_num_queries(3):
        data = member.get(url("api_list", SAVED)).json()
    assert len(data["items"]) == number


@pytest.mark.django_db
def test_an_account_knows_more_of_an_item(member: Client, customer: User) -> None:
    """SL-6: a product that left the shop keeps its title; when it was saved, and at what price."""
    row = make_list(
        customer, SAVED, {"product_ref": "lost", "title": "Gyokuro", "price": Money("30.00", "EUR"), "parked": True}
    )
    item = member.get(url("api_list", SAVED)).json()["items"][0]
    assert (item["title"], item["problem"], item["parked"]) == ("Gyokuro", "gone", True)
    assert item["price_when_saved"] == {"amount": "30.00", "currency": "EUR"}
    assert item["price"] is None
    assert item["added"] == row.items.get().added_at.isoformat()


def test_options_have_the_names_that_the_catalogue_gives(client: Client, settings: Any) -> None:
    """One more question to the catalogue, and only if there is an option at all."""
    settings.THANKYOU_WISHLISTS = {"CATALOG": "tests.test_wishlists.test_api.NamingCatalog"}
    put(client, Line("tea", 1, "250"), Line("tea", 1, "tin"), Line("pot"))
    titles = [item["option_title"] for item in client.get(url("api_list", CART)).json()["items"]]
    assert titles == ["250 g", "tin", ""]


def test_unknown_kinds_and_those_that_are_off_are_the_same(client: Client) -> None:
    """A shop that has no comparison says what one says that has never heard of it."""
    answers = [client.get(url("api_list", kind)) for kind in (RECENT, "nothing", "Cart", "\0", "é")]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.content for answer in answers} == {b'{"error": "not_found"}'}
    assert "no-store" in answers[0]["Cache-Control"]


def test_it_is_read_only(client: Client) -> None:
    """Changes go to the addresses of the forms."""
    for path in (
        url("api"),
        url("api_list", CART),
        url("api_wish_lists"),
        url("api_wish_list", make_key()),
        url("api_shared", "x"),
    ):
        assert {client.post(path).status_code, client.delete(path).status_code} == {405}


@pytest.mark.parametrize("value", ["", "x", "é" * 900, "a" * 9000, '{"a":1}:b:c'])
def test_any_cookie_gives_an_empty_list(client: Client, value: str) -> None:
    """CK-3."""
    for name in ("cart", "cart_saved", "cart_compare", "cart_open"):
        client.cookies[name] = value
    for kind in (CART, SAVED, COMPARE):
        answer = client.get(url("api_list", kind))
        assert (answer.status_code, answer.json()["items"]) == (200, [])
    assert client.get(url("api")).status_code == 200


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money("12.5", "EUR"), "12.50"),
        (Money("12.500", "EUR"), "12.50"),
        (Money("12.505", "EUR"), "12.505"),
        (Money("1000", "JPY"), "1000"),
        (Money("1.5", "KWD"), "1.500"),
        (Money("1E+3", "EUR"), "1000.00"),
    ],
)
def test_amounts_are_text(money: Money, text: str) -> None:
    """As many digits as the currency has; none is cut off."""
    assert plain_money(money) == {"amount": text, "currency": str(money.currency)}


# Wish lists ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", make_key()], ids=["all lists", "one list"])
def test_a_guest_is_told_to_log_in(client: Client, key: str) -> None:
    """No redirect that a program would follow to a page; and no word on whether the list exists."""
    answer = client.get(url("api_wish_list", key) if key else url("api_wish_lists"))
    assert (answer.status_code, answer.json()) == (401, {"error": "login"})
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_an_account_sees_its_wish_lists(member: Client, customer: User, django_assert_num_queries: Any) -> None:
    """Session, account, and one query however many there are."""
    birthday = make_list(
        customer,
        WISH,
        {"product_ref": "tea", "quantity": 2, "note": "the green one", "priority": 1},
        {"product_ref": "lost", "title": "Gyokuro"},
        name="Birthday",
    )
    make_list(customer, WISH, name="Empty")
    make_list(customer, SAVED, {"product_ref": "pot"})
    with django_assert_num_queries(3):
        data = member.get(url("api_wish_lists")).json()
    assert data["max_lists"] == KINDS[WISH].max_lists
    assert [(each["name"], each["count"], each["share_url"]) for each in data["lists"]] == [
        ("Birthday", 3, None),
        ("Empty", 0, None),
    ]
    with django_assert_num_queries(4):
        one = member.get(url("api_wish_list", birthday.key)).json()
    assert one.items() >= (data["lists"][0]).items()
    tea, lost = one["items"]
    assert set(tea) == FIELDS
    assert (tea["quantity"], tea["note"], tea["priority"]) == (2, "the green one", 1)
    assert (lost["title"], lost["problem"]) == ("Gyokuro", "gone")


@pytest.mark.django_db
def test_other_peoples_lists_are_unknown(member: Client, customer: User, django_user_model: type[User]) -> None:
    """SL-3: a foreign key and an invented one give the same bytes; a list of another kind is no wish list."""
    other = django_user_model.objects.create_user("other")
    theirs, mine = make_list(other, WISH, name="Secret"), make_list(customer, SAVED)
    answers = [member.get(url("api_wish_list", key)) for key in (theirs.key, make_key(), mine.key)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, b'{"error": "not_found"}')}


@pytest.mark.django_db
def test_a_shop_without_wish_lists_has_none(member: Client, customer: User, settings: Any) -> None:
    """Switched off is unknown, also to those who had one."""
    row = make_list(customer, WISH, name="Birthday")
    settings.THANKYOU_WISHLISTS |= {"KINDS": {"wish": {"is_on": False}}}
    for path in (url("api_wish_lists"), url("api_wish_list", row.key)):
        assert member.get(path).status_code == 404
        assert Client().get(path).status_code == 404


# Shared -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_shared_list_says_nothing_about_its_owner(
    client: Client, customer: User, django_assert_num_queries: Any
) -> None:
    """SL-4: what its link shows, with the note and what others are getting; no name, no address, no dates."""
    row = make_list(customer, WISH, {"product_ref": "tea", "quantity": 3, "note": "the green one"}, name="Birthday")
    row = share(list=row, shown_name="Ana")
    ListItem.objects.create(list=row, product_ref="pot", title="A secret")  # later, and not to be seen
    mark(list=row, giver=new_giver(), product_ref="tea", quantity=2)
    with django_assert_num_queries(2):
        answer = client.get(url("api_shared", row.share_key or ""))
    assert answer["X-Robots-Tag"] == "noindex"
    data = answer.json()
    assert (data["name"], data["shown_name"], data["is_own"]) == ("Birthday", "Ana", False)
    [item] = data["items"]
    assert set(item) == FIELDS - {"parked", "price_when_saved", "added"} | {"taken", "mine"}
    assert (item["title"], item["note"], item["taken"], item["mine"]) == ("Sencha", "the green one", 2, 0)
    text = answer.content.decode()
    assert not [word for word in ("customer", "example.com", row.key, "secret") if word in text]


@pytest.mark.django_db
def test_the_owner_of_a_surprise_sees_no_gifts(member: Client, customer: User) -> None:
    """Not by the link either; unless the owner wants to know."""
    row = share(list=make_list(customer, WISH, {"product_ref": "tea", "quantity": 3}, name="Birthday"))
    mark(list=row, giver=new_giver(), product_ref="tea", quantity=2)
    item = member.get(url("api_shared", row.share_key or "")).json()["items"][0]
    assert (item["taken"], item["mine"]) == (None, None)
    share(list=row, hides_gifts=False)
    assert member.get(url("api_shared", row.share_key or "")).json()["items"][0]["taken"] == 2


@pytest.mark.django_db
def test_a_revoked_link_is_as_if_it_had_never_been(client: Client, customer: User, settings: Any) -> None:
    """The same bytes for revoked, invented and mangled keys, and in a shop that has no wish lists."""
    row = share(list=make_list(customer, WISH, {"product_ref": "tea"}, name="Birthday"))
    key = row.share_key or ""
    assert client.get(url("api_shared", key)).status_code == 200
    settings.THANKYOU_WISHLISTS |= {"KINDS": {"wish": {"is_on": False}}}
    answers = [client.get(url("api_shared", key))]
    settings.THANKYOU_WISHLISTS |= {"KINDS": {}}
    unshare(list=row)
    answers += [client.get(url("api_shared", each)) for each in (key, make_key(), row.key, "x", "\0", "é")]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, b'{"error": "not_found"}')}


@pytest.mark.django_db
def test_the_address_of_a_shared_list_is_whole(member: Client, customer: User) -> None:
    """The front end gives it to others as it is."""
    row = share(list=make_list(customer, WISH, name="Birthday"))
    found = member.get(url("api_wish_list", row.key)).json()["share_url"]
    assert found == f"http://testserver{url('shared', row.share_key or '')}"


# Changing -----------------------------------------------------------------------------------------


def test_changes_go_to_the_addresses_of_the_forms(client: Client) -> None:
    """The same POST as the form's answers JSON, and then the list has changed."""
    answer = client.post(url("cart_add"), {"product_ref": "tea", "quantity": 2}, headers={"accept": "application/json"})
    assert answer.status_code == 200
    assert answer.json()["state"]["counts"]["cart"] == 2
    assert client.get(url("api_list", CART)).json()["items"][0]["quantity"] == 2


@pytest.mark.parametrize(
    "headers",
    [{}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}],
    ids=["neither", "fetch-site", "origin"],
)
def test_other_sites_need_djangos_token(headers: dict[str, str]) -> None:
    """The rules of the forms hold for programs, too (CK-5)."""
    strict = Client(enforce_csrf_checks=True, headers={"accept": "application/json", **headers})
    assert strict.post(url("cart_add"), {"product_ref": "tea"}).status_code == 403
    assert "cart" not in strict.cookies


def test_things_that_are_saved_take_no_stock_from_each_other(customer: User, member: Client) -> None:
    """CK-4: as the page says it, each line is as if it were bought alone."""
    make_list(
        customer,
        SAVED,
        {"product_ref": "pot", "quantity": 2},
        {"product_ref": "pot", "options": "gift", "quantity": 2},
    )
    items = member.get(url("api_list", SAVED)).json()["items"]
    assert [(item["buyable_quantity"], item["problem"]) for item in items] == [(2, None), (2, None)]
