"""The lines of a list as a page shows them: today's facts, what the options are called, what became cheaper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from djmoney.money import Money

from .catalog import Card, Catalog, lowest_prices_of, option_titles_of
from .conf import app_settings
from .forms import ChangeForm, dom_id
from .lines import Line, key_text
from .models import ListItem
from .moving import Why, hindrance
from .pricing import PricedLine, price_line

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a page."""

    line: PricedLine
    #: Pieces that stand in the field, and how many it takes.
    quantity: int
    most: int
    #: The change that was refused in this line, with what was typed and the error.
    form: ChangeForm | None = None
    #: The catalogue's, or what was kept with an account's item; empty if nobody knows it any more.
    title: str = ""
    option_title: str = ""
    #: How much less it costs than when it was saved, where that may be said.
    drop: Money | None = None

    @property
    def item(self) -> str:
        """The line's key as one text, for a checkbox."""
        return key_text(self.line.line.key)

    @property
    def name(self) -> str:
        """What screen readers hear after the word on a button, where many lines have the same buttons."""
        return "".join([f": {self.title}" if self.title else "", f", {self.option_title}" if self.option_title else ""])

    @property
    def slug(self) -> str:
        """The line's key as a part of ids."""
        return dom_id(*self.line.line.key)

    @property
    def is_again(self) -> bool:
        """Say whether it was parked and can be bought again."""
        return self.line.line.parked and self.line.is_buyable

    @property
    def needs_choice(self) -> bool:
        """Say whether the customer still has to choose what it comes in."""
        return hindrance(self.line.line, self.line.card) is Why.CHOICE


def make_rows(
    priced: Iterable[PricedLine],
    catalog: Catalog,
    *,
    items: Iterable[ListItem] = (),
    tried: ChangeForm | None = None,
    is_cart: bool = False,
) -> list[Row]:
    """Return the rows of a page. ``items`` are an account's, with the titles and prices of when they were saved.

    ``tried`` is a change that was refused: it stands, with its error, in its line. At most two questions to the
    catalogue, and none where there are no options and nothing became cheaper.
    """
    priced = list(priced)
    kept = {item.key: item for item in items}
    cards = {line.line.product_ref: line.card for line in priced if line.card is not None}
    names = option_titles_of(catalog, keys=[line.line.key for line in priced], cards=cards)
    drops = price_drops(priced, kept, catalog)
    most = app_settings.max_quantity
    rows = []
    for line in priced:
        key = line.line.key
        title = line.card.title if line.card is not None else kept[key].title if key in kept else ""
        # A cart offers what can be bought, any other list what the customer wants.
        stock = line.card.max_quantity if is_cart and line.card is not None else None
        rows.append(
            Row(
                line=line,
                quantity=line.quantity if is_cart else line.line.quantity,
                most=min(most, stock or most),
                form=tried if tried is not None and key == _key_of(tried) else None,
                title=title,
                option_title=names.get(key, ""),
                drop=drops.get(key),
            )
        )
    return rows


def price_alone(lines: Iterable[Line], cards: Mapping[str, Card]) -> list[PricedLine]:
    """Return lines with today's facts, each as if it were bought alone: what is only saved takes no stock from others."""
    return [price_line(line, cards.get(line.product_ref)) for line in lines]


def price_drops(priced: Iterable[PricedLine], kept: Mapping[Key, ListItem], catalog: Catalog) -> dict[Key, Money]:
    """Return how much less lines cost than when they were saved, in the same currency.

    Nothing is said of a product that cost less than today within the last 30 days: what looks like a reduction would be
    none (CD-8, Dir. 98/6/EC art. 6a).
    """
    cheaper: dict[Key, tuple[Money, Money]] = {}
    for line in priced:
        item = kept.get(line.line.key)
        if item is None or item.price is None or line.unit_price is None or not line.is_buyable:
            continue
        if item.price.currency == line.unit_price.currency and line.unit_price < item.price:
            cheaper[line.line.key] = (item.price, line.unit_price)
    if not cheaper:
        return {}
    lowest = lowest_prices_of(catalog, refs={ref for ref, _options in cheaper})
    return {key: then - now for key, (then, now) in cheaper.items() if _is_reduction(now, lowest.get(key[0]))}


def _is_reduction(now: Money, lowest: Money | None) -> bool:
    return lowest is None or (lowest.currency == now.currency and lowest >= now)


def _key_of(form: ChangeForm) -> Key:
    data = form.cleaned_data
    return data.get("product_ref", ""), data.get("options", "")
