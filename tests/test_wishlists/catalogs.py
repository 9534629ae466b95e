"""Catalogues of shops that exist for these tests only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from django.contrib.auth.models import Group
from djmoney.money import Money

from wishlists.catalog import Attribute, ProductCard


def euro(amount: str | int) -> Money:
    return Money(amount, "EUR")


PRODUCTS = {
    "tea": ProductCard(ref="tea", title="Sencha", url="/p/tea/", price=euro("12.50"), image_url="/i/tea.svg"),
    "pot": ProductCard(ref="pot", title="Kyusu", url="/p/pot/", price=euro(60), max_quantity=3),
    "cup": ProductCard(ref="cup", title="Yunomi <b>", url="", price=euro(15), available=False),
    "free": ProductCard(ref="free", title="Sample", url="/p/free/", price=euro(0)),
    "none": ProductCard(ref="none", title="Sold", url="/p/none/", price=euro(1), max_quantity=0),
    "dear": ProductCard(ref="dear", title="On request", url="/p/dear/", price=None),
    **{f"sku-{n}": ProductCard(ref=f"sku-{n}", title=f"Thing {n}", url="", price=euro(n + 1)) for n in range(600)},
}


class MemoryCatalog:
    """Counts what it is asked."""

    calls: ClassVar[list[list[str]]] = []
    products: ClassVar[dict[str, ProductCard]] = dict(PRODUCTS)

    def get_products(self, *, refs: Iterable[str]) -> dict[str, ProductCard]:
        refs = list(refs)
        self.calls.append(refs)
        return {ref: self.products[ref] for ref in refs if ref in self.products}


class FactsCatalog(MemoryCatalog):
    """Knows attributes and options, and counts every question."""

    questions: ClassVar[list[str]] = []
    facts: ClassVar[dict[str, list[Attribute]]] = {
        "tea": [Attribute("Origin", "Uji"), Attribute("Weight", "100 g"), Attribute("Made by", "hand")],
        "pot": [Attribute("Origin", "Tokoname"), Attribute("Volume", "3 dl"), Attribute("Made by", "hand")],
        "free": [Attribute("Contains", "milk"), Attribute("Contains", "nuts"), Attribute("Weight", " ")],
    }

    def get_products(self, *, refs: Iterable[str]) -> dict[str, ProductCard]:
        self.questions.append("products")
        return super().get_products(refs=refs)

    def get_attributes(self, *, refs: Iterable[str]) -> Mapping[str, Sequence[Attribute]]:
        self.questions.append("attributes")
        return {ref: self.facts[ref] for ref in refs if ref in self.facts}

    def get_option_titles(self, *, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        self.questions.append("options")
        return {key: "Large" for key in keys if key[1] == "l"}


class DatabaseCatalog:
    """Products that are rows (of a table that happens to be there): one query a call."""

    def get_products(self, *, refs: Iterable[str]) -> dict[str, ProductCard]:
        pks = [int(ref) for ref in refs if ref.isdecimal()]
        return {
            str(row.pk): ProductCard(ref=str(row.pk), title=row.name, url="", price=euro(2))
            for row in Group.objects.filter(pk__in=pks)
        }


class NoQuestions:
    """Not a catalogue."""


def broken() -> MemoryCatalog:
    raise RuntimeError("the shop is closed")
