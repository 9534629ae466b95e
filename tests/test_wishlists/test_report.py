"""The report on saved products: what is counted, what it costs, who sees it and who may take it out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from openpyxl import load_workbook

from wishlists import reporting
from wishlists.models import Save
from wishlists.saves import record_purchase, record_saves

from .catalogs import MemoryCatalog
from .staff import client_with, use_admin

pytestmark = pytest.mark.django_db

REPORT = "/admin/reports/saved-products/"
#: A Thursday.
NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def admin(site: Any) -> Iterator[None]:
    use_admin(site)
    with time_machine.travel(NOON, tick=False):
        yield


def saved(name: str, *refs: str, days: float = 1, bought: Iterable[str] = (), bought_days: float = 0) -> User:
    """An account that saved these so many days ago, and bought some of them later."""
    user, _is_new = User.objects.get_or_create(username=name)
    record_saves(user=user, titles={ref: f"{ref} then" for ref in refs}, now=NOON - timedelta(days=days))
    record_purchase(user=user, product_refs=bought, now=NOON - timedelta(days=bought_days))
    return user


def rows(**more: Any) -> list[tuple[Any, ...]]:
    found = reporting.by_product(**{"days": 0, "now": NOON, **more})
    return [(row["product_ref"], row["saves"], row["bought"], row["waiting"]) for row in found]


# What is counted ---------------------------------------------------------------------------------


def test_each_account_counts_once_for_each_product() -> None:
    """Issue 4: most saved, bought of it, never bought; saved again is not saved twice, bought again not bought twice."""
    ada = saved("ada", "tea", "pot", bought=["tea", "cup"])
    saved("ada", "tea")
    record_purchase(user=ada, product_refs=["tea"])
    saved("bob", "tea", "cup")
    assert rows() == [("tea", 2, 1, 1), ("cup", 1, 0, 1), ("pot", 1, 0, 1)]
    assert rows(never_bought=True) == [("cup", 1, 0, 1), ("pot", 1, 0, 1)]
    totals = reporting.count(days=0)
    assert (totals.saves, totals.bought, totals.products, totals.waiting, totals.share) == (4, 1, 3, 3, 0.25)
    assert reporting.count(days=0) == reporting.count(days=30, now=NOON)


def test_a_guests_purchase_is_nobodys() -> None:
    """What has no account is not counted, and raises nothing."""
    saved("ada", "tea")
    assert record_purchase(user=None, product_refs=["tea"]) == 0
    assert rows() == [("tea", 1, 0, 1)]


def test_the_period_is_that_of_the_saving() -> None:
    """Of what was saved in it, what was bought until today."""
    saved("ada", "tea", days=100, bought=["tea"], bought_days=2)
    saved("bob", "tea", days=20)
    assert rows(days=30) == [("tea", 1, 0, 1)]
    assert rows(days=90) == [("tea", 1, 0, 1)]
    assert rows(days=365) == [("tea", 2, 1, 1)]
    assert rows(days=30, never_bought=True) == [("tea", 1, 0, 1)]


def test_nothing_saved_has_no_share() -> None:
    assert reporting.count(days=0).share is None
    assert [week.saved for week in reporting.by_week(days=30, now=NOON)] == [0] * 5
    assert len(reporting.by_week(days=0, now=NOON)) == 1


def test_weeks_have_no_gaps_and_begin_on_monday() -> None:
    """Purchases count in their own week, also if the product was saved long before."""
    saved("ada", "tea", days=200, bought=["tea"], bought_days=3.3)  # Monday morning
    saved("bob", "tea", "pot", days=3.7)  # Sunday evening in Berlin
    saved("eve", "tea", days=3.6)  # Sunday, 22:36 in London, and 23:36 in Berlin
    saved("ida", "tea", days=3.5)  # Monday, 00:00 in London
    weeks = reporting.by_week(days=30, now=NOON)
    assert [week.begins for week in weeks] == [date(2026, 10, 5) + timedelta(weeks=n) for n in range(5)]
    assert [(week.saved, week.bought) for week in weeks] == [(0, 0), (0, 0), (0, 0), (3, 0), (1, 1)]
    everything = reporting.by_week(days=0, now=NOON)
    assert everything[0].begins == date(2026, 4, 13)
    assert sum(week.saved for week in everything) == 5
    assert len(reporting.by_week(days=365, now=NOON)) == 53


def test_titles_are_those_of_today_or_the_kept_ones() -> None:
    """One question to the catalogue for a page."""
    saved("ada", "tea", "gone", "cup")
    record_saves(user=saved("bob"), titles={"nameless": ""})
    MemoryCatalog.calls.clear()
    found = {row.product_ref: row for row in reporting.with_titles(reporting.by_product(days=0))}
    assert (found["tea"].title, found["tea"].url, found["tea"].is_sold) == ("Sencha", "/p/tea/", True)
    assert (found["gone"].title, found["gone"].url, found["gone"].is_sold) == ("gone then", "", False)
    assert found["nameless"].title == "nameless"
    assert len(MemoryCatalog.calls) == 1


# What it costs -----------------------------------------------------------------------------------


def many(number: int) -> None:
    """So many saves of twenty accounts, every third of which was bought."""
    users = User.objects.bulk_create(User(username=f"user {n}") for n in range(20))
    Save.objects.bulk_create(
        Save(
            owner=users[n % 20],
            product_ref=f"sku-{n // 20}",
            saved_at=NOON - timedelta(hours=n % 5000),
            bought_at=NOON if n % 3 == 0 else None,
        )
        for n in range(number)
    )


def test_it_costs_the_same_for_any_number(django_assert_num_queries: Any, django_assert_max_num_queries: Any) -> None:
    """1 row and 10,000: four statements of ours (products, their number, totals, weeks), and the catalogue once."""
    client = client_with("view_save")
    saved("ada", "tea")
    client.get(REPORT)
    with django_assert_max_num_queries(13) as before:
        client.get(REPORT)
    assert len([query for query in before.captured_queries if "thankyou_wishlists_save" in query["sql"]]) == 4
    many(10_000)
    MemoryCatalog.calls.clear()
    with django_assert_num_queries(len(before)):
        response = client.get(REPORT)
    assert len(MemoryCatalog.calls) == 1
    assert len(response.context["table"].data) == 50


def test_the_report_as_functions_costs_three_statements(django_assert_num_queries: Any) -> None:
    """Whatever the number of rows."""
    for number in (1, 20, 2_000):
        Save.objects.all().delete()
        User.objects.all().delete()
        many(number)
        with django_assert_num_queries(3):
            list(reporting.with_titles(reporting.by_product(days=0)))
            reporting.count(days=0)
            reporting.by_week(days=0)


# Who sees it -------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [{}, {"export": "csv"}, {"export": "xlsx"}])
def test_nobody_and_editors_are_kept_out(client: Client, query: dict[str, str]) -> None:
    """Also of the export; and on every version of Wagtail (a report is not closed by itself)."""
    saved("ada", "tea")
    assert "/login/" in client.get(REPORT, query)["Location"]
    editor = client_with("view_inquiry", "export_save", username="editor")
    User.objects.get(username="editor").groups.set(Group.objects.filter(name__in=["Editors", "Moderators"]))
    response = editor.get(REPORT, query)
    assert (response.status_code, response["Location"]) == (302, "/admin/")


def test_taking_it_out_is_allowed_apart() -> None:
    """export_save: without it there is no button, and no file by the address."""
    saved("ada", "tea")
    reader = client_with("view_save")
    assert "export=csv" not in reader.get(REPORT).content.decode()
    assert reader.get(REPORT, {"export": "csv"})["Location"] == "/admin/"
    taker = client_with("view_save", "export_save", username="taker")
    assert "export=csv" in taker.get(REPORT).content.decode()
    assert taker.get(REPORT, {"export": "csv"}).status_code == 200


def test_it_stands_among_the_reports() -> None:
    assert REPORT in client_with("view_save").get("/admin/").content.decode()
    assert REPORT not in client_with("view_inquiry", username="other").get("/admin/").content.decode()


# The page ----------------------------------------------------------------------------------------


def test_the_page_says_what_it_counts_and_shows_nobody() -> None:
    """Each number has its explanation; guests are said not to be in it; no account is."""
    saved("ada-lovelace", "tea", "gone", bought=["tea"])
    page = client_with("view_save").get(REPORT).content.decode()
    assert page.count("How is this counted?") == 7
    assert "Guests keep their lists in their own browsers" in page
    assert "400 days" in page
    assert "ada-lovelace" not in page
    assert 'href="/p/tea/"' in page
    assert "gone then (not in the shop any more)" in page
    assert "50 %" in page
    assert page.count("<rect") == 2
    assert "<script>" not in page.partition("tyl-section")[2].partition("</main>")[0]


def test_an_empty_report_says_what_will_be_there() -> None:
    """And one that is empty because all was bought, says that."""
    client = client_with("view_save")
    page = client.get(REPORT).content.decode()
    assert "As soon as customers with an account save products" in page
    assert "<rect" not in page
    saved("ada", "tea", bought=["tea"])
    assert "has been bought by somebody" in client.get(REPORT, {"never": "1"}).content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["tea", "cup", "pot"]),
        ({"days": "30"}, ["cup", "pot", "tea"]),
        ({"days": "x", "never": "2", "ordering": "owner", "p": "x"}, ["tea", "cup", "pot"]),
        ({"never": "1"}, ["cup", "pot"]),
        ({"ordering": "bought"}, ["cup", "pot", "tea"]),
        ({"ordering": "-last_saved", "days": "0"}, ["cup", "pot", "tea"]),
        ({"ordering": "-share"}, ["tea", "cup", "pot"]),
    ],
)
def test_periods_choices_and_orders(query: dict[str, str], found: list[str]) -> None:
    """Whatever else somebody types, is the report as it begins."""
    saved("ada", "tea", days=60, bought=["tea"])
    saved("bob", "tea", days=3)
    saved("bob", "cup", "pot", days=1)
    response = client_with("view_save").get(REPORT, query)
    assert [row.product_ref for row in response.context["table"].data] == found


def test_links_keep_what_was_chosen() -> None:
    """A period keeps the choice and the order, and so does the other way round."""
    saved("ada", "tea")
    page = client_with("view_save").get(REPORT, {"days": "365", "never": "1", "ordering": "-share"}).content.decode()
    assert "?days=30&amp;never=1&amp;ordering=-share" in page
    assert "?days=365&amp;ordering=-share" in page


# The export --------------------------------------------------------------------------------------


def test_the_export_has_the_same_rows_and_runs_in_no_spreadsheet() -> None:
    """CM-5; with the period and the choice of the page, and all of its pages."""
    client = client_with("view_save", "export_save")
    for number in range(60):
        saved("ada", f"sku-{number}", days=2)
    record_saves(user=saved("eve"), titles={"=1+1": '=HYPERLINK("http://evil")'})
    response = client.get(REPORT, {"export": "csv", "never": "1"})
    assert "no-store" in response["Cache-Control"]
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    head, *lines = csv.reader(io.StringIO(text))
    assert head == [
        "Reference",
        "Product",
        "Saved by accounts",
        "Bought by them",
        "Still waiting",
        "Bought of saved",
        "Last saved",
    ]
    assert len(lines) == 61
    assert lines[0][:6] == ["'=1+1", '\'=HYPERLINK("http://evil")', "1", "0", "1", "0.0"]
    response = client.get(REPORT, {"export": "xlsx", "never": "1"})
    sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active  # type: ignore[attr-defined]
    assert sheet.max_row == 62
    assert sheet.cell(2, 1).value == "'=1+1"
    assert sheet.cell(3, 2).value == "Thing 0"
    assert "ada" not in text


class AnyHistory(TestCase):
    """The sums of the report are those of a count by hand."""

    @settings(max_examples=25)
    @given(
        events=st.lists(
            st.tuples(st.integers(0, 3), st.sampled_from(["tea", "pot", "cup"]), st.booleans(), st.integers(0, 500)),
            max_size=25,
        ),
        days=st.sampled_from(reporting.SPANS),
    )
    def test_sums(self, events: list[tuple[int, str, bool, int]], days: int) -> None:
        users = [User.objects.create_user(f"user {n}") for n in range(4)]
        now = timezone.now()
        known: dict[tuple[int, str], tuple[int, bool]] = {}
        for who, ref, buys, ago in sorted(events, key=lambda event: -event[3]):
            at = now - timedelta(days=ago)
            if buys:
                record_purchase(user=users[who], product_refs=[ref], now=at)
                if (who, ref) in known:
                    known[who, ref] = known[who, ref][0], True
            else:
                record_saves(user=users[who], titles={ref: ref}, now=at)
                known.setdefault((who, ref), (ago, False))
        counted = [(ref, bought) for (_who, ref), (ago, bought) in known.items() if not days or ago <= days]
        totals = reporting.count(days=days, now=now)
        assert (totals.saves, totals.bought) == (len(counted), sum(bought for _ref, bought in counted))
        products = list(reporting.by_product(days=days, now=now))
        assert sum(row["saves"] for row in products) == totals.saves
        assert sum(row["bought"] for row in products) == totals.bought
        assert len(products) == totals.products == len({ref for ref, _bought in counted})
        never = {row["product_ref"] for row in reporting.by_product(days=days, never_bought=True, now=now)}
        assert never == {ref for ref, _ in counted} - {ref for ref, bought in counted if bought}
