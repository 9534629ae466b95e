"""The comparison as a file: CSV and, where the package for it is installed, a workbook."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client

from wishlists.catalog import Attribute, ProductCard
from wishlists.kinds import COMPARE
from wishlists.lines import Line

from .catalogs import FactsCatalog, MemoryCatalog, euro
from .conftest import put


@pytest.fixture(autouse=True)
def facts(site: Any) -> type[FactsCatalog]:
    """The catalogue of this file."""
    site.THANKYOU_WISHLISTS = {"CATALOG": f"{FactsCatalog.__module__}.FactsCatalog"}
    FactsCatalog.questions.clear()
    return FactsCatalog


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def sheet(client: Client) -> list[list[str]]:
    response = client.get("/compare/sheet/")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in response.headers["Cache-Control"]
    body = b"".join(response.streaming_content)
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))


def test_the_comparison_as_csv(client: Client):
    put(client, Line("tea"), Line("pot"), kind=COMPARE)
    assert sheet(client) == [
        ["", "Sencha", "Kyusu"],
        ["Price", "€12.50", "€60.00"],
        ["Availability", "Available", "Available"],
        ["Origin", "Uji", "Tokoname"],
        ["Volume", "–", "3 dl"],
        ["Weight", "100 g", "–"],
        ["Made by", "hand", "hand"],
        ["Address", "http://testserver/p/tea/", "http://testserver/p/pot/"],
    ]


def test_no_cell_runs(client: Client, facts: type[FactsCatalog], monkeypatch: pytest.MonkeyPatch):
    """CM-5: facts come from editors and importers."""
    evil = '=HYPERLINK("http://evil.example")'
    monkeypatch.setitem(facts.facts, "tea", [Attribute("+1", evil)])
    MemoryCatalog.products["tea"] = ProductCard(ref="tea", title="@SUM(A1)", url="", price=euro(1))
    put(client, Line("tea"), kind=COMPARE)
    cells = [cell for row in sheet(client) for cell in row]
    assert {"'@SUM(A1)", "'+1", f"'{evil}"} <= set(cells)
    openpyxl = pytest.importorskip("openpyxl")
    response = client.get("/compare/sheet/?format=xlsx")
    page = openpyxl.load_workbook(io.BytesIO(response.content)).active
    found = {cell.value: cell for row in page.iter_rows() for cell in row}
    assert {found[value].data_type for value in ("@SUM(A1)", "+1", evil)} == {"s"}
    assert found[evil].quotePrefix


def test_the_comparison_as_xlsx(client: Client):
    openpyxl = pytest.importorskip("openpyxl")
    MemoryCatalog.products["odd"] = ProductCard(ref="odd", title="Odd \x0b\x00 tea", url="", price=None)
    put(client, Line("tea"), Line("odd"), kind=COMPARE)
    response = client.get("/compare/sheet/?format=xlsx")
    assert 'filename="comparison.xlsx"' in response.headers["Content-Disposition"]
    assert "no-store" in response.headers["Cache-Control"]
    page = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert [cell.value for cell in page[1]] == [None, "Sencha", "Odd  tea"]
    assert [cell.value for cell in page[2]] == ["Price", "€12.50", "–"]


def test_there_is_no_other_file(client: Client, monkeypatch: pytest.MonkeyPatch):
    put(client, Line("tea"), kind=COMPARE)
    assert client.get("/compare/sheet/?format=exe").status_code == 404
    monkeypatch.setattr("wishlists.views.compare.has_xlsx", lambda: False)
    assert client.get("/compare/sheet/?format=xlsx").status_code == 404
    assert "xlsx" not in text(client.get("/compare/"))


def test_an_empty_comparison_has_no_file(client: Client):
    assert client.get("/compare/sheet/").headers["Location"] == "/compare/"
