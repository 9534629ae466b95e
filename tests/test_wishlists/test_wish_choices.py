"""Products that come in several kinds, on wish lists: which one is asked, and only what the shop offers is kept (SL-4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from wishlists.lists import create_list, put_on_list
from wishlists.models import ListItem, ProductList
from wishlists.sharing import share

from .catalogs import PRODUCTS, MemoryCatalog

pytestmark = pytest.mark.django_db

CHOOSE = "/lists/choose/"
JSON = {"accept": "application/json"}
WHICH = "Please choose which one you would like."


@pytest.fixture(autouse=True)
def tea(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tea is sold loose or in bags; a pot is a pot."""
    kinds = {
        "tea": replace(PRODUCTS["tea"], choices={"loose": "Loose leaf", "bags": "In bags"}),
        "pot": replace(PRODUCTS["pot"], choices={}),
    }
    monkeypatch.setattr(MemoryCatalog, "products", {**PRODUCTS, **kinds})


@pytest.fixture
def wishes(customer: User) -> ProductList:
    return create_list(user=customer, name="Birthday")


def kept() -> list[tuple[str, str]]:
    return list(ListItem.objects.values_list("product_ref", "options"))


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status
    return str(response.content.decode())


@pytest.mark.parametrize(("options", "is_chosen"), [("", False), ("bags", True), ("Stolen goods", False)])
def test_the_question_offers_the_choice(member: Client, wishes: ProductList, options: str, is_chosen: bool) -> None:
    """A labelled select; what came with the address is chosen, unless there is no such thing."""
    page = text(member.get(CHOOSE, {"product_ref": "tea", "options": options}))
    assert '<label for="ty-choose-options">Your choice</label>' in page
    assert '<option value="loose">Loose leaf</option>' in page
    assert ('<option value="bags" selected>' in page) is is_chosen
    assert "Stolen" not in page
    assert WHICH not in page


@pytest.mark.parametrize("options", ["", "Stolen goods", "x" * 128])
def test_a_wish_without_a_valid_choice_is_refused_beside_it(member: Client, wishes: ProductList, options: str) -> None:
    """Nothing lost: list, name and quantity are kept, and the choice is asked again."""
    data = {"product_ref": "tea", "options": options, "list": wishes.key, "quantity": "3"}
    page = text(member.post(CHOOSE, data), 422)
    assert WHICH in page
    assert '<option value="bags">In bags</option>' in page
    assert f'value="{wishes.key}"' in page and 'value="3"' in page and "checked" in page
    answer = member.post(CHOOSE, data, headers=JSON)
    assert (answer.status_code, answer.json()["errors"]) == (422, {"options": [WHICH]})
    assert kept() == []


def test_a_new_list_is_not_begun_for_a_wish_that_is_refused(member: Client) -> None:
    assert WHICH in text(member.post(CHOOSE, {"product_ref": "tea", "name": "Kitchen"}), 422)
    assert not ProductList.objects.exists()


def test_a_valid_choice_is_kept_and_named(member: Client, wishes: ProductList) -> None:
    data = {"product_ref": "tea", "options": "bags", "list": wishes.key}
    assert member.post(CHOOSE, data).status_code == 303
    assert kept() == [("tea", "bags")]
    assert "In bags" in text(member.get(f"/lists/{wishes.key}/"))


@pytest.mark.parametrize(("ref", "options"), [("tea", ""), ("tea", "Stolen goods"), ("pot", "Stolen goods")])
def test_no_other_form_takes_what_the_shop_does_not_offer(
    member: Client, wishes: ProductList, ref: str, options: str
) -> None:
    """The same for the address that takes items, and for a product with nothing to choose."""
    data = {"product_ref": ref, "options": options}
    items = reverse("thankyou_wishlists:list_items", args=[wishes.key])
    for path, more in ((items, {"action": "add"}), (CHOOSE, {"list": wishes.key})):
        page = text(member.post(path, {**data, **more}), 422)
        assert WHICH in page
        assert member.post(path, {**data, **more}, headers=JSON).status_code == 422
    assert kept() == []


def test_a_wish_from_before_there_was_a_choice_leads_to_it(member: Client, client: Client, wishes: ProductList) -> None:
    """On the owner's page and on a shared one: no button that would not work, and the way to the choice."""
    put_on_list(list=wishes, product_ref="tea", card=PRODUCTS["tea"])
    row = share(list=wishes)
    for page in (member.get(f"/lists/{wishes.key}/"), Client().get(f"/shared/{row.share_key}/")):
        words = " ".join(text(page).split())
        assert 'It comes in several kinds. <a href="/p/tea/">Choose one</a>' in words
        assert "Available" not in words
        assert "Put into the cart" not in words


def test_the_note_says_that_a_choice_is_needed(member: Client, wishes: ProductList) -> None:
    """Not that the others cannot be bought: they can, one has only to choose."""
    for ref in ("tea", "pot"):
        put_on_list(list=wishes, product_ref=ref, card=PRODUCTS[ref])
    row, path = share(list=wishes), f"/lists/{wishes.key}/items/"
    several = "Products put into your cart: 1. Some come in several kinds: choose one on their pages first."
    one = "“Sencha” comes in several kinds: choose one on its page first."
    assert several in text(member.post(path, {"action": "cart", "all": "1"}, follow=True))
    assert one in text(member.post(path, {"action": "cart", "product_ref": "tea"}, follow=True))
    gift = {"action": "cart", "product_ref": "tea"}
    assert one in text(Client().post(f"/shared/{row.share_key}/gift/", gift, follow=True))


def test_what_is_wrong_with_a_new_name_stands_beside_it(member: Client, wishes: ProductList, site: Any) -> None:
    """A list is chosen already when somebody types a name: the error belongs to what they typed."""
    data = {"product_ref": "pot", "list": wishes.key}
    answer = member.post(CHOOSE, {**data, "name": "birthday"}, headers=JSON)
    assert (answer.status_code, [*answer.json()["errors"]]) == (422, ["name"])
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {"wish": {"max_lists": 1}}}
    answer = member.post(CHOOSE, {**data, "name": "Another"}, headers=JSON)
    assert (answer.status_code, [*answer.json()["errors"]]) == (422, ["name"])


@pytest.mark.parametrize("name", ["\u200b", "\u200e \u200f", "\u2060\u00ad"])
def test_a_name_that_nobody_can_see_is_none(member: Client, wishes: ProductList, name: str) -> None:
    answer = member.post("/lists/new/", {"name": name}, headers=JSON)
    assert (answer.status_code, [*answer.json()["errors"]]) == (422, ["name"])
    with pytest.raises(ValueError, match="1 to 80"):
        create_list(user=wishes.owner, name=name)
