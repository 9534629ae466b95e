"""The items on the page of a wish list: changing, moving, removing, putting back, and into the cart."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from wishlists.catalog import ProductCard
from wishlists.kinds import CART
from wishlists.lines import Line, key_text
from wishlists.lists import create_list, put_all, put_on_list
from wishlists.models import ListItem, ProductList
from wishlists.sharing import share
from wishlists.signals import list_changed

from .catalogs import PRODUCTS, MemoryCatalog, euro

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


def test_the_page_shows_wishes_at_todays_prices(member: Client, wishes: ProductList) -> None:
    """CK-4, SL-6: the most wanted first; what left the shop keeps its title and has no price."""
    ListItem.objects.filter(product_ref="tea").update(price=euro(15))
    text = page(member, wishes)
    assert text.index("Kyusu") < text.index("Sencha")
    assert "for two" in text
    assert "€12.50" in text
    assert "€2.50 less than when you added it" in text
    del MemoryCatalog.products["tea"]
    MemoryCatalog.products["pot"] = ProductCard(ref="pot", title="Kyusu", url="", price=euro(60), available=False)
    text = page(member, wishes)
    assert "Sencha" in text
    assert "No longer sold" in text
    assert "Not available at the moment" in text
    assert "€12.50" not in text
    assert "Put into the cart" not in text


def test_an_item_is_changed_in_its_line(member: Client, wishes: ProductList) -> None:
    """A field that is not sent stays as it is."""
    response = do(member, wishes, "change", product_ref="tea", quantity=3, priority=1, note=" the\ngreen one ")
    assert (response.status_code, response.headers["Location"]) == (303, url(wishes))
    item = wishes.items.get(product_ref="tea")
    assert (item.quantity, item.priority, item.note) == (3, 1, "the green one")
    assert "Changed: Sencha" in page(member, wishes)
    do(member, wishes, "change", product_ref="tea", note="")
    item.refresh_from_db()
    assert (item.quantity, item.priority, item.note) == (3, 1, "")
    do(member, wishes, "change", product_ref="sku-1", quantity=3)
    assert "nothing was changed" in page(member, wishes)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("quantity", "0", "Enter a number from 1 to 99."),
        ("quantity", "100", "Enter a number from 1 to 99."),
        ("quantity", "", "Enter a whole number."),
        ("quantity", "two", "Enter a whole number."),
        ("priority", "4", "Select a valid choice."),
        ("priority", "", "This field is required."),
        ("note", "x" * 301, "at most 300 characters"),
    ],
)
def test_bad_input_is_said_beside_the_field(
    member: Client, wishes: ProductList, field: str, value: str, said: str
) -> None:
    """422, the form of that line open, with all that was typed."""
    before = everything()
    data = {"product_ref": "pot", "options": "red", "quantity": 3, "priority": 3, "note": "typed", field: value}
    response = do(member, wishes, "change", **data)
    text = response.content.decode()
    assert response.status_code == 422
    assert said in text
    assert text.count('class="ty-form ty-wish-edit"') == 1
    if field != "note":
        assert "typed</textarea>" in text
    assert f'id="ty-wish-pot_2e_red-{field}_error"' in text
    assert everything() == before
    answer = member.post(url(wishes, "list_items"), {"action": "change", **data}, headers=JSON)
    assert (answer.status_code, set(answer.json()["errors"])) == (422, {field})


def test_a_line_opens_its_form_by_a_link_and_has_its_own_buttons(
    member: Client, customer: User, wishes: ProductList
) -> None:
    """AX-7, DESIGN §6: one form for a hundred lines, and fields where they were asked for."""
    assert f"{url(wishes)}?change=pot_2e_red#ty-wish-pot_2e_red" in page(member, wishes)
    assert "<textarea" not in page(member, wishes)
    text = member.get(url(wishes), {"change": "pot_2e_red"}).content.decode()
    assert (text.count("<textarea"), text.count("for two</textarea>")) == (1, 1)
    assert "<textarea" not in member.get(url(wishes), {"change": "\0"}).content.decode()
    member.post(url(wishes, "list_items"), {"put": key_text(("tea", "")), "item": key_text(("pot", "red"))})
    assert cart_of(customer) == [("tea", "", 2)]
    member.post(url(wishes, "list_items"), {"remove": key_text(("pot", "red")), "item": key_text(("tea", ""))})
    assert [item.product_ref for item in wishes.items.all()] == ["tea"]
    for nothing in ("", "{", "\0"):
        assert member.post(url(wishes, "list_items"), {"remove": nothing, "all": "1"}).status_code == 422
    assert wishes.items.count() == 1


def lowest(self: MemoryCatalog, *, refs: Any, days: int = 30) -> dict[str, Any]:
    return {"tea": euro(12)}


def test_a_lower_price_is_said_only_where_it_is_a_reduction(
    member: Client, wishes: ProductList, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CD-8: not if it cost less within the last 30 days."""
    ListItem.objects.filter(product_ref="tea").update(price=euro(15))
    monkeypatch.setattr(MemoryCatalog, "get_lowest_prices", lowest, raising=False)
    assert "less than when you added it" not in page(member, wishes)


def test_options_of_one_product_do_not_take_stock_from_each_other(member: Client, wishes: ProductList) -> None:
    """What is only wished for is reserved for nobody: each line as if it were bought alone, as on the saved page."""
    ListItem.objects.filter(product_ref="pot").update(quantity=3)
    put_on_list(list=wishes, product_ref="pot", options="blue", quantity=3, card=PRODUCTS["pot"])
    text = page(member, wishes)
    assert "Not available" not in text
    assert "Only" not in text


def test_removing_says_so_and_can_be_undone(member: Client, wishes: ProductList) -> None:
    """One, several or all; only from this list (complaint 20)."""
    other = create_list(user=wishes.owner, name="Kitchen")
    put_on_list(list=other, product_ref="tea")
    do(member, wishes, "remove", product_ref="pot", options="red")
    text = page(member, wishes)
    assert "Removed from this list: Kyusu" in text
    assert "Put it back" in text
    put_on_list(list=wishes, product_ref="free", card=PRODUCTS["free"], priority=1)
    do(member, wishes, "undo")
    text = page(member, wishes)
    assert text.index("Kyusu") < text.index("Sample")  # where it was before
    ListItem.objects.filter(product_ref="free").delete()
    item = wishes.items.get(product_ref="pot")
    assert (item.options, item.note, item.priority) == ("red", "for two", 1)
    do(member, wishes, "remove", item=[key_text(("pot", "red")), key_text(("tea", "")), "{", "[1]", "\0"])
    assert "Products removed from this list: 2" in page(member, wishes)
    do(member, wishes, "undo")
    assert "Products put back: 2" in page(member, wishes)
    do(member, wishes, "remove", all="1")
    assert not wishes.items.exists()
    assert other.items.count() == 1


def test_several_are_moved_to_another_list(member: Client, wishes: ProductList) -> None:
    other = create_list(user=wishes.owner, name="Kitchen")
    response = do(member, wishes, "move", item=[key_text(("pot", "red")), key_text(("tea", ""))], to=other.key)
    assert response.headers["Location"] == url(other)
    assert "Products moved to this list: 2" in page(member, other)
    assert not wishes.items.exists()
    assert other.items.get(product_ref="pot").note == "for two"


def test_what_several_should_become_must_be_said(member: Client, wishes: ProductList) -> None:
    """422 with the reason; what was chosen stays chosen."""
    other = create_list(user=wishes.owner, name="Kitchen")
    for action in ("remove", "cart", "move"):
        response = do(member, wishes, action, to=other.key)
        assert response.status_code == 422
        assert b"Choose at least one product." in response.content
    response = do(member, wishes, "move", item=key_text(("tea", "")), to="")
    assert response.status_code == 422
    assert b"Choose the list to move them to." in response.content
    assert response.content.count(b"checked") == 1
    for action in ("", "drop", "\0"):
        assert do(member, wishes, action).status_code == 404


def test_wishes_go_into_the_cart_and_stay_on_the_list(member: Client, customer: User, wishes: ProductList) -> None:
    """CK-4: as many as wanted, cut to the stock; what cannot be bought is said."""
    do(member, wishes, "cart", product_ref="tea")
    assert cart_of(customer) == [("tea", "", 2)]
    assert "In your cart: Sencha" in page(member, wishes)
    put_on_list(list=wishes, product_ref="cup", card=PRODUCTS["cup"])
    put_on_list(list=wishes, product_ref="gone")
    ListItem.objects.filter(product_ref="pot").update(quantity=9)
    do(member, wishes, "cart", all="1")
    assert cart_of(customer) == [("tea", "", 4), ("pot", "red", 3)]
    assert "Products put into your cart: 2. The others cannot be bought now." in page(member, wishes)
    do(member, wishes, "cart", product_ref="cup")
    assert "“Yunomi &lt;b&gt;” could not be put into your cart" in page(member, wishes)
    assert wishes.items.count() == 4


def test_a_shop_with_its_own_basket(member: Client, customer: User, wishes: ProductList, site: Any) -> None:
    """BASKET: each product is handed over; what it does not take is said."""
    taken: list[tuple[str, str, int]] = []
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "BASKET": "tests.test_wishlists.test_wish_items.basket"}
    basket.taken = taken
    do(member, wishes, "cart", all="1")
    assert taken == [("tea", "", 2)]
    assert cart_of(customer) == []
    assert "Products put into your cart: 1." in page(member, wishes)


def basket(*, request: Any, product_ref: str, quantity: int, options: str) -> bool:
    """A shop's basket that takes teas, and breaks at pots."""
    if product_ref == "pot":
        raise RuntimeError("broken")
    basket.taken.append((product_ref, options, quantity))
    return True


basket.taken = []  # type: ignore[attr-defined]


def test_a_list_that_is_full_says_so(member: Client, wishes: ProductList, site: Any) -> None:
    """SL-6: on the page of the list, at adding, moving and putting back."""
    other = create_list(user=wishes.owner, name="Kitchen")
    put_on_list(list=other, product_ref="free")
    do(member, wishes, "remove", product_ref="tea")
    put_on_list(list=wishes, product_ref="dear")
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"wish": {"max_items": 2}}}
    answers = [
        do(member, wishes, "undo"),
        do(member, wishes, "add", product_ref="sku-1", quantity=1),
        do(member, other, "move", all="1", to=wishes.key),
        member.post(CHOOSE, {"product_ref": "sku-1", "list": wishes.key}),
    ]
    assert {answer.status_code for answer in answers} == {422}
    for answer in answers:
        assert b"This list is full: it holds up to 2 products." in answer.content
    assert (wishes.items.count(), other.items.count()) == (2, 1)


def test_too_fast_is_said(member: Client, wishes: ProductList, site: Any) -> None:
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "ADDS_PER_MINUTE": 2}
    response = do(member, wishes, "add", product_ref="sku-1", quantity=1)
    assert response.status_code == 422
    assert b"That was a lot at once." in response.content


def test_adding_by_a_program(member: Client, wishes: ProductList) -> None:
    """JSON for those who ask for it; a product that is not there is not put there."""
    path = url(wishes, "list_items")
    answer = member.post(path, {"action": "add", "product_ref": "free", "note": "a"}, headers=JSON)
    assert answer.status_code == 200
    assert answer.json()["message"] == "On your wish list: Sample"
    assert "counts" in answer.json()["state"]
    assert member.post(path, {"action": "add", "product_ref": "never"}, headers=JSON).status_code == 422
    assert member.post(path, {"action": "add", "product_ref": "\0"}, headers=JSON).status_code == 422
    answer = member.post(path, {"action": "remove"}, headers=JSON)
    assert (answer.status_code, answer.json()["message"]) == (422, "Choose at least one product.")
    assert wishes.items.count() == 3


def test_changes_are_news(member: Client, wishes: ProductList, django_capture_on_commit_callbacks: Any) -> None:
    """list_changed, after commit, with the list."""
    heard: list[Any] = []

    def hear(**news: Any) -> None:
        heard.append(tuple(news[name] for name in ("action", "kind", "product_ref", "options", "quantity", "list")))

    other = create_list(user=wishes.owner, name="Kitchen")
    list_changed.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            do(member, wishes, "add", product_ref="free", quantity=2)
            do(member, wishes, "change", product_ref="free", quantity=3)
            do(member, wishes, "move", product_ref="free", to=other.key)
            do(member, other, "remove", product_ref="free")
    finally:
        list_changed.disconnect(hear)
    assert heard == [
        ("added", "wish", "free", "", 2, wishes),
        ("changed", "wish", "free", "", 3, wishes),
        ("moved", "wish", "free", "", 3, other),
        ("removed", "wish", "free", "", 0, other),
    ]


@pytest.mark.parametrize("count", [1, 20, 100])
@pytest.mark.parametrize("shows_gifts", [False, True])
def test_queries_of_a_list(
    member: Client, customer: User, count: int, shows_gifts: bool, django_assert_num_queries: Any
) -> None:
    """OP-7: session, account, lists, items, and one question to the catalogue, whatever is on the list."""
    row = share(list=create_list(user=customer, name="Long"), hides_gifts=not shows_gifts)
    put_all(list=row, lines=[Line(f"sku-{n}") for n in range(count)], is_limited=False)
    MemoryCatalog.calls.clear()
    with django_assert_num_queries(4):
        member.get(url(row))
    assert len(MemoryCatalog.calls) == 1


@pytest.mark.parametrize("count", [1, 20])
def test_queries_of_all_lists(member: Client, customer: User, count: int, django_assert_num_queries: Any) -> None:
    """OP-7: session, account, lists with their numbers."""
    for number in range(count):
        put_on_list(list=create_list(user=customer, name=f"List {number}"), product_ref="tea")
    with django_assert_num_queries(3):
        member.get(LISTS)


@given(
    data=st.dictionaries(
        st.sampled_from(
            ["product_ref", "options", "quantity", "note", "priority", "item", "all", "to", "name", "next"]
        ),
        st.one_of(st.text(max_size=20), st.binary(max_size=20), st.sampled_from(["tea", "1", '["tea",""]', "9" * 30])),
    ),
    action=st.sampled_from(["add", "change", "remove", "undo", "move", "cart", "mark", "unmark"]),
)
@hypothesis.settings(max_examples=25)
def test_no_bytes_break_a_post(data: dict[str, Any], action: str) -> None:
    """CK-3: whatever is sent, the answer is one that was thought of, and what is stored can be shown."""
    user, _ = User.objects.get_or_create(username="somebody")
    row = ProductList.objects.of(user).first() or share(list=create_list(user=user, name="Birthday"))
    put_on_list(list=row, product_ref="tea", is_limited=False)
    client = Client()
    client.force_login(user)
    data = {name: value.encode("utf-8", "ignore") if isinstance(value, str) else value for name, value in data.items()}
    paths = [url(row, "list_items"), "/lists/choose/", "/lists/new/", url(row, "list_edit"), url(row, "list_share")]
    for path in [*paths, f"/shared/{row.share_key}/gift/"]:
        row.refresh_from_db()
        assert client.post(path, {"action": action, **data}).status_code in (303, 404, 422)
    assert client.get(url(row)).status_code == 200
