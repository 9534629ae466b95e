"""Products side by side: their facts as rows of one table, and in which rows they differ. Lists in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from .availability import availability_text, is_available
from .catalog import Attribute, Card, Catalog, attributes_of, choices_of, option_titles_of
from .lines import Line, Lines, key_text

#: Stands in a cell of a file for what the shop does not say; on the page, screen readers hear words.
MISSING = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One product of a comparison, with today's facts (CK-4). ``card`` is None for one that left the shop."""

    line: Line
    card: Card | None
    title: str
    option_title: str = ""

    @property
    def key(self) -> str:
        """The product and its options as one text, for a form."""
        return key_text(self.line.key)

    @property
    def name(self) -> str:
        """Title and options, to tell two columns of one product apart."""
        return f"{self.title}, {self.option_title}" if self.option_title else self.title

    @property
    def can_be_added(self) -> bool:
        """Say whether one click can put it into the cart: it can be had, and nothing is left to choose."""
        has_chosen = bool(self.line.options) or self.card is None or not choices_of(self.card)
        return has_chosen and is_available(self.card, self.line.options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fact of all products, in the order of the columns; empty where the shop does not say."""

    name: str
    cells: tuple[str, ...]
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Products side by side."""

    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.columns)

    @property
    def differing(self) -> tuple[Row, ...]:
        """The rows in which the products differ."""
        return tuple(row for row in self.rows if row.differs)


def compare(
    lines: Lines, catalog: Catalog, *, cards: Mapping[str, Card] | None = None, titles: Mapping[str, str] | None = None
) -> Comparison:
    """Return the products of a list side by side.

    At most three questions to the catalogue, whatever the number of products: for the products (unless ``cards`` are
    given), their attributes, and what their options are called (if they have any). ``titles``, by the key as text, name
    products that left the shop.
    """
    if not lines:
        return Comparison()
    refs = list(dict.fromkeys(line.product_ref for line in lines))
    if cards is None:
        cards = catalog.get_products(refs=refs)
    known = [ref for ref in refs if ref in cards]
    attributes = attributes_of(catalog, refs=known) if known else {}
    options = option_titles_of(catalog, keys=[line.key for line in lines], cards=cards)
    columns = tuple(_column(line, cards.get(line.product_ref), options, titles or {}) for line in lines)
    return Comparison(columns=columns, rows=tuple(_rows(columns, attributes)))


def _column(line: Line, card: Card | None, options: Mapping[tuple[str, str], str], titles: Mapping[str, str]) -> Column:
    title = card.title if card is not None else titles.get(key_text(line.key), "")
    return Column(
        line=line,
        card=card,
        title=title or _("A product that is no longer in the shop"),
        option_title=options.get(line.key, ""),
    )


def _rows(columns: Sequence[Column], attributes: Mapping[str, Sequence[Attribute]]) -> Iterator[Row]:
    if any(column.option_title for column in columns):
        yield _row(pgettext("product", "Options"), columns, [column.option_title for column in columns])
    prices = [column.card.price if column.card is not None else None for column in columns]
    yield _row(_("Price"), columns, [str(price) if price is not None else "" for price in prices])
    words = [availability_text(column.card, column.line.options) for column in columns]
    yield _row(_("Availability"), columns, words)
    facts = [_facts(attributes.get(column.line.product_ref, ())) if column.card else {} for column in columns]
    for name in in_order(facts):
        yield _row(name, columns, [each.get(name, "") for each in facts])


def _row(name: str, columns: Sequence[Column], cells: Iterable[str]) -> Row:
    """A product that left the shop has no facts, so it makes no difference."""
    cells = tuple(cells)
    told = {cell for cell, column in zip(cells, columns, strict=True) if column.card is not None}
    return Row(name=name, cells=cells, differs=len(told) > 1)


def _facts(attributes: Iterable[Attribute]) -> dict[str, str]:
    """Return attributes as text by name; what has one name twice ("Contains") becomes one fact."""
    facts: dict[str, str] = {}
    for name, value in attributes:
        name, value = str(name).strip(), str(value).strip()
        if name and value:
            facts[name] = f"{facts[name]}, {value}" if name in facts else value
    return facts


def in_order(sequences: Iterable[Iterable[str]]) -> list[str]:
    """Return the union of names. Each sequence keeps its order, as far as the ones before it allow."""
    union: list[str] = []
    for names in sequences:
        place = 0
        for name in names:
            if name in union:
                place = max(place, union.index(name) + 1)
            else:
                union.insert(place, name)
                place += 1
    return union
