"""Lists as files that their owners take along."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from djmoney.money import Money

from wishlists.catalog import ProductCard
from wishlists.exporting import header
from wishlists.kinds import SAVED, WISH
from wishlists.lines import Line
from wishlists.models import ListItem, ProductList
from wishlists.spreadsheets import as_csv, as_spreadsheet_text

from .catalogs import MemoryCatalog, euro
from .conftest import put


def rows_of(response: Any) -> list[dict[str, str]]:
    """The rows of a downloaded file."""
    assert response.streaming
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["X-Robots-Tag"] == "noindex"
    body = b"".join(response.streaming_content)
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


@pytest.fixture
def wish_list(customer: User) -> ProductList:
    """A wish list of the customer with two things, of which one has left the shop."""
    row = ProductList.objects.create(owner=customer, kind=WISH, name="Für Oma")
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    ListItem.objects.create(
        list=row, product_ref="tea", title="Old title", quantity=2, note="the green one", added_at=at
    )
    ListItem.objects.create(list=row, product_ref="lost", title="Lost", priority=1, added_at=at, price=Money(3, "EUR"))
    return row


def test_a_guest_takes_the_saved_list_along(client: Client, db: None, django_assert_num_queries: Any):
    """Issue 4: CSV export. CK-1: a cookie knows no note and no date; no query, and no cookie is set by looking."""
    put(client, Line("tea", 2, "bags"), Line("lost"), kind=SAVED)
    MemoryCatalog.calls.clear()
    with django_assert_num_queries(0):
        response = client.get("/saved/export/")
    assert 'filename="saved-for-later.csv"' in response.headers["Content-Disposition"]
    assert not response.cookies
    assert len(MemoryCatalog.calls) == 1
    assert rows_of(response) == [
        {
            "Title": "Sencha",
            "Product reference": "tea",
            "Options": "bags",
            "Quantity": "2",
            "Note": "",
            "Priority": "",
            "Price today": "12.50",
            "Currency": "EUR",
            "Availability": "Available",
            "Saved on": "",
            "Address": "http://testserver/p/tea/",
        },
        dict.fromkeys(header(), "") | {"Product reference": "lost", "Quantity": "1", "Availability": "No longer sold"},
    ]


def test_an_empty_list_is_a_file_with_a_header(client: Client):
    assert rows_of(client.get("/saved/export/")) == []


def test_what_an_earlier_visit_left_is_not_part_of_it(client: Client):
    """CK-5: the next person at this computer gets nothing."""
    put(client, Line("tea"), kind=SAVED, keep=True, is_open=False)
    assert rows_of(client.get("/saved/export/")) == []


def test_an_account_takes_its_own_saved_list(member: Client, customer: User, wish_list: ProductList):
    """The device's cookies are a guest's."""
    put(member, Line("pot"), kind=SAVED)
    row = ProductList.objects.create(owner=customer, kind=SAVED)
    ListItem.objects.create(list=row, product_ref="tea", title="Sencha")
    assert [found["Product reference"] for found in rows_of(member.get("/saved/export/"))] == ["tea"]


def test_a_wish_list_is_exported_whole(member: Client, wish_list: ProductList):
    response = member.get(f"/lists/{wish_list.key}/export/")
    assert "f%C3%BCr-oma.csv" in response.headers["Content-Disposition"]
    tea, lost = rows_of(response)
    assert (tea["Title"], tea["Quantity"], tea["Note"]) == ("Sencha", "2", "the green one")
    assert (tea["Priority"], tea["Saved on"]) == ("Normal", "2026-03-01")
    assert (lost["Title"], lost["Priority"], lost["Price today"]) == ("Lost", "Most wanted", "")
    assert lost["Availability"] == "No longer sold"


@pytest.mark.parametrize("number", [1, 100])
def test_a_long_list_costs_no_more_queries(member: Client, customer: User, number: int, django_assert_num_queries: Any):
    """Four at most: session, user, list, items."""
    row = ProductList.objects.create(owner=customer, kind=WISH, name="Long")
    ListItem.objects.bulk_create(ListItem(list=row, product_ref=f"sku-{n}") for n in range(number))
    with django_assert_num_queries(4):
        response = member.get(f"/lists/{row.key}/export/")
    assert len(rows_of(response)) == number


def test_only_the_owner_gets_a_wish_list(
    client: Client, member: Client, wish_list: ProductList, django_user_model: type[User], customer: User, site: Any
):
    """SL-3: others' lists, unknown keys and lists of other kinds are all the same 404."""
    site.LOGIN_URL = "/login/"
    other = Client()
    other.force_login(django_user_model.objects.create_user("other"))
    saved = ProductList.objects.create(owner=customer, kind=SAVED)
    assert other.get(f"/lists/{wish_list.key}/export/").status_code == 404
    assert member.get(f"/lists/{'x' * 22}/export/").status_code == 404
    assert member.get(f"/lists/{saved.key}/export/").status_code == 404
    assert client.get(f"/lists/{wish_list.key}/export/").status_code == 302
    assert client.post(f"/lists/{wish_list.key}/export/").status_code in (302, 405)
    assert client.get(f"/lists/{wish_list.key}/export/", headers={"accept": "application/json"}).status_code == 401


def test_no_cell_runs(member: Client, wish_list: ProductList):
    """CM-5: notes are what people type, titles what importers find."""
    MemoryCatalog.products["tea"] = ProductCard(ref="tea", title="=1+1", url="", price=euro(1))
    wish_list.items.filter(product_ref="tea").update(note='@SUM(A1)|cmd\n"x"')
    tea = rows_of(member.get(f"/lists/{wish_list.key}/export/"))[0]
    assert tea["Title"] == "'=1+1"
    assert tea["Note"] == '\'@SUM(A1)|cmd\n"x"'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "  =", "\0"])
def test_formulas_are_texts(start: str):
    assert as_spreadsheet_text(f"{start}1") == f"'{start}1"
    assert as_spreadsheet_text("1") == "1"


def test_a_file_comes_in_pieces_with_one_mark():
    """Spreadsheets know UTF-8 by its first bytes only; what UTF-8 cannot hold does not break it."""
    pieces = list(as_csv([["ä"], ["\ud800"], ["c"]], chunk=2))
    assert [piece.count(b"\xef\xbb\xbf") for piece in pieces] == [1, 0]
    assert b"".join(pieces).decode("utf-8-sig") == "ä\r\n?\r\nc\r\n"


@pytest.mark.parametrize("name", ['a"b\r\nc/../d', "   ", "\x00", "x" * 300, "日本"])
def test_any_name_is_a_file_name(member: Client, wish_list: ProductList, name: str):
    ProductList.objects.update(name=name.replace("\x00", "")[:80])
    disposition = member.get(f"/lists/{wish_list.key}/export/").headers["Content-Disposition"]
    assert "/" not in disposition
    assert "\n" not in disposition
    assert ".csv" in disposition


def test_switched_off_kinds_have_no_file(member: Client, wish_list: ProductList, site: Any):
    site.THANKYOU_WISHLISTS = {
        **site.THANKYOU_WISHLISTS,
        "KINDS": {"saved": {"is_on": False}, "wish": {"is_on": False}},
    }
    assert member.get("/saved/export/").status_code == 404
    assert member.get(f"/lists/{wish_list.key}/export/").status_code == 404
