"""What is kept of a person: handed over whole, and questions erased by their address."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from djmoney.money import Money

from wishlists.inquiries import answer, ask
from wishlists.models import GiftMark, Inquiry, ListItem, MergeReceipt, ProductList, Save
from wishlists.personal import erase_inquiries, personal_data
from wishlists.saves import record_saves

pytestmark = pytest.mark.django_db


def a_life(name: str, *, items: int = 1) -> User:
    """An account with something of everything."""
    user = User.objects.create_user(name, f"{name}@example.com")
    row = ProductList.objects.create(owner=user, kind="wish", name=f"{name}’s list", share_key=name.ljust(22, "x"))
    ListItem.objects.bulk_create(
        ListItem(list=row, product_ref=f"sku-{n}", title=f"Thing {n}", note=f"for {name}", price=Money("2.50", "EUR"))
        for n in range(items)
    )
    ProductList.objects.create(owner=user, kind="cart")
    GiftMark.objects.create(list=row, product_ref="sku-0", title="a surprise")
    MergeReceipt.objects.create(owner=user, changes={"cart": [["tea", "", "Sencha", None, 1]]})
    record_saves(user=user, titles={f"sku-{n}": f"Thing {n}" for n in range(items)})
    answer(inquiry=ask(email=user.email.upper(), name=name, text=f"{name} asks"), text="Yes.", by=None)
    return user


def test_everything_of_one_account_and_nothing_of_another() -> None:
    """GDPR 15: as JSON; gifts stay a surprise, because they are others' data."""
    ada = a_life("ada")
    a_life("bob")
    data = personal_data(user=ada, email=ada.email)
    text = json.dumps(data)
    assert [row["kind"] for row in data["lists"]] == ["wish", "cart"]
    (item,) = data["lists"][0]["items"]
    assert (item["note"], item["price"]) == ("for ada", {"amount": "2.50", "currency": "EUR"})
    assert data["merges"][0]["changes"] == {"cart": [["tea", "", "Sencha", None, 1]]}
    assert data["saves"][0]["title"] == "Thing 0"
    assert (data["questions"][0]["text"], data["questions"][0]["answer"]) == ("ada asks", "Yes.")
    assert "bob" not in text.lower()
    assert "surprise" not in text


def test_every_field_is_in_it_or_left_out_on_purpose() -> None:
    """A field that comes later is not forgotten."""
    left_out = {
        ProductList: {"id", "owner", "key"},
        ListItem: {"id", "list", "price_currency"},
        MergeReceipt: {"id", "owner", "key", "cookies"},  # signed, and the same as "guest"
        Save: {"id", "owner"},
        Inquiry: {"id", "key", "answered_by"},
    }
    renamed = {
        "created_at": {"begun", "merged", "asked"},
        "changed_at": {"changed"},
        "shared_at": {"shared"},
        "added_at": {"saved"},
        "saved_at": {"saved"},
        "undone_at": {"undone"},
        "bought_at": {"bought"},
        "answered_at": {"answered"},
        "mailed_at": {"sent"},
    }
    data = personal_data(user=a_life("ada"), email="ada@example.com")
    parts: dict[Any, dict[str, Any]] = {
        ProductList: data["lists"][0],
        ListItem: data["lists"][0]["items"][0],
        MergeReceipt: data["merges"][0],
        Save: data["saves"][0],
        Inquiry: data["questions"][0],
    }
    for model, names in left_out.items():
        for field in model._meta.concrete_fields:
            if field.name not in names:
                assert renamed.get(field.name, {field.name}) & parts[model].keys(), f"{model.__name__}.{field.name}"


def test_it_costs_the_same_for_any_number(django_assert_num_queries: Any) -> None:
    """1 item and 20."""
    for name, items in (("ada", 1), ("bob", 20)):
        user = a_life(name, items=items)
        with django_assert_num_queries(5):
            personal_data(user=user, email=user.email)


def test_questions_are_found_by_an_address_that_is_the_persons() -> None:
    """Only by an address that the caller names, as proven: nobody reads another's questions by registering as her."""
    a_life("ada")
    eve = User.objects.create_user("eve", "ada@example.com")
    assert personal_data(user=eve)["questions"] == []
    assert personal_data(user=eve, email="ADA@example.com")["questions"]
    assert personal_data(user=eve, email="")["questions"] == []
    assert personal_data(user=eve, email="ada@example.com\x00")["questions"] == []
    assert personal_data(user=User.objects.create_user("nobody"))["questions"] == []
    assert personal_data(user=AnonymousUser())["lists"] == []


def test_questions_are_erased_by_their_address() -> None:
    """GDPR 17: of this address, however it is written, and of no other; twice is once."""
    a_life("ada")
    a_life("bob")
    assert erase_inquiries(email="") == erase_inquiries(email="\x00") == 0
    assert erase_inquiries(email=" Ada@Example.com ") == 1
    assert erase_inquiries(email="ada@example.com") == 0
    assert [inquiry.name for inquiry in Inquiry.objects.all()] == ["bob"]


def test_the_rest_goes_with_the_account() -> None:
    a_life("ada").delete()
    assert not any(model.objects.exists() for model in (ProductList, ListItem, MergeReceipt, Save, GiftMark))
