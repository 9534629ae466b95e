"""The lines of a list as a page shows them: today's facts, what the options are called, what became cheaper.

A list may have a hundred lines, and a template is slow at looking things up: what a line says is made here, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from djmoney.money import Money, get_current_locale

from .catalog import Card, Catalog, get_catalog, lowest_prices_of, option_titles_of, pieces_left
from .conf import app_settings
from .forms import ChangeForm, dom_id
from .lines import Key, key_text
from .models import ListItem
from .moving import Why, hindrance
from .pricing import PricedLine, Problem, is_lower, is_reduction, price_alone

#: A line that nobody can order before having chosen what it comes in.
CHOICE = Why.CHOICE.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a page. Its texts are escaped for HTML already."""

    line: PricedLine
    card: Card | None
    #: Where the product is and what it looks like, as its card says.
    url: str
    image_url: str
    image_alt: str
    #: The line's key as one text, for a checkbox or a button.
    key_text: str
    #: The line's key as a part of ids, and as a query string, escaped.
    slug: str
    query: str
    #: Pieces that stand in the field, and how many it takes.
    quantity: int
    most: int
    #: Pieces that are wanted, as text.
    pieces: str
    #: The catalogue's, or what was kept with an account's item; empty if nobody knows it any more.
    title: str
    option_title: str
    #: What screen readers hear after the word on a button, where many lines have the same buttons.
    name: str
    #: What one piece costs today, in words; empty if it cannot be bought.
    price: str
    is_buyable: bool
    #: Why it cannot be bought as it stands: a ``Problem``, or "choice"; else empty.
    problem: str
    #: How many pieces are left, where the shop says so and they are few (CD-5).
    few: int | None = None
    #: Whether it was parked and can be bought again.
    is_again: bool = False
    #: How much less it costs than when it was saved, where that may be said.
    drop: Money | None = None
    #: Pieces that others are getting, if the owner wants to know.
    taken: int = 0
    #: What an account's list has kept of it.
    kept: ListItem | None = None
    #: The change that was refused in this line, with what was typed and the error.
    form: ChangeForm | None = None
    #: Whether the form that changes it stands in it.
    is_open: bool = False

    def __getitem__(self, name: str) -> Any:
        """Return a field: templates look for items first, and this spares them an exception at every look-up."""
        try:
            return getattr(self, name)
        except (AttributeError, TypeError):
            raise KeyError(name) from None

    @property
    def has_news(self) -> bool:
        """Whether there is something to say of it beside what it costs."""
        return bool(self.problem or self.few or self.drop is not None or self.is_again)


def make_rows(
    priced: Iterable[PricedLine],
    catalog: Catalog,
    *,
    items: Iterable[ListItem] = (),
    tried: ChangeForm | None = None,
    change: str = "",
    is_cart: bool = False,
) -> list[Row]:
    """Return the rows of a page. ``items`` are an account's, with the titles and prices of when they were saved.

    ``tried`` is a change that was refused: it stands, with its error, in its line; ``change`` is the slug of a line whose
    form was asked for. At most two questions to the catalogue, and none where there are no options and nothing became
    cheaper.
    """
    priced = list(priced)
    kept = {item.key: item for item in items}
    cards = {line.line.product_ref: line.card for line in priced if line.card is not None}
    names = option_titles_of(catalog, keys=[line.line.key for line in priced], cards=cards)
    drops = price_drops(priced, kept, catalog)
    most, low_stock = app_settings.max_quantity, app_settings.low_stock
    refused = _key_of(tried) if tried is not None else None
    rows = []
    for each in priced:
        line, card, is_buyable = each.line, each.card, each.is_buyable
        key = line.key
        item = kept.get(key)
        title = escape(card.title if card is not None else item.title if item is not None else "")
        option_title = escape(names[key]) if key[1] else ""
        slug = SafeString(dom_id(*key))
        # A cart offers what can be bought, any other list what the customer wants.
        stock = card.max_quantity if is_cart and card is not None else None
        left = pieces_left(card) if is_buyable and card is not None else None
        rows.append(
            Row(
                line=each,
                card=card,
                url=escape(card.url) if card is not None else "",
                image_url=escape(card.image_url) if card is not None else "",
                image_alt=escape(card.image_alt) if card is not None and card.image_url else "",
                key_text=escape(key_text(key)),
                slug=slug,
                query=_query(key),
                quantity=each.quantity if is_cart else line.quantity,
                most=min(most, stock or most),
                pieces=SafeString(line.quantity),
                title=title,
                option_title=option_title,
                name=SafeString((f": {title}" if title else "") + (f", {option_title}" if option_title else "")),
                price=money_text(each.unit_price) if is_buyable and each.unit_price is not None else "",
                is_buyable=is_buyable,
                problem=_problem_of(each),
                few=left if left is not None and 0 < left <= low_stock else None,
                is_again=line.parked and is_buyable,
                drop=drops.get(key),
                taken=getattr(item, "taken", 0),
                kept=item,
                form=tried if key == refused else None,
                is_open=key == refused or slug == change,
            )
        )
    return rows


def rows_of(
    items: Iterable[ListItem], *, also: Iterable[str] = (), change: str = ""
) -> tuple[list[Row], Mapping[str, Card]]:
    """Return the rows of an account's list and all cards, by one question to the catalogue besides those of ``make_rows``.

    ``also`` names further products to look up in the same question.
    """
    items, catalog = list(items), get_catalog()
    refs = list(dict.fromkeys([*(item.product_ref for item in items), *also]))
    cards = catalog.get_products(refs=refs) if refs else {}
    priced = price_alone([item.line for item in items], cards)
    return make_rows(priced, catalog, items=items, change=change), cards


def price_drops(priced: Iterable[PricedLine], kept: Mapping[Key, ListItem], catalog: Catalog) -> dict[Key, Money]:
    """Return how much less lines cost than when they were saved, where that may be said (``pricing.is_reduction``)."""
    cheaper: dict[Key, tuple[Money, Money]] = {}
    for line in priced:
        item, now = kept.get(line.line.key), line.unit_price
        then = item.price if item is not None else None
        if then is not None and now is not None and line.is_buyable and is_lower(now, then):
            cheaper[line.line.key] = (then, now)
    if not cheaper:
        return {}
    lowest = lowest_prices_of(catalog, refs={ref for ref, _options in cheaper})
    return {
        key: then - now
        for key, (then, now) in cheaper.items()
        if is_reduction(now=now, then=then, lowest=lowest.get(key[0]))
    }


def money_text(money: Money) -> str:
    """Return an amount as this language writes it, escaped for HTML."""
    if money.format_options:
        return escape(str(money))
    return _money_text(money.amount, str(money.currency.code), get_current_locale())


@lru_cache(maxsize=2048)
def _money_text(amount: Decimal, currency: str, locale: str) -> str:
    """Formatting an amount takes longer than all else that a line needs, and shops have few prices."""
    return escape(str(Money(amount, currency)))


def escape(text: str) -> str:
    """Return a text for HTML; what is safe already stays as it is."""
    if not text:
        return ""
    return conditional_escape(text)


def _query(key: Key) -> str:
    ref, options = (quote(part, safe="") for part in key)
    return SafeString(f"product_ref={ref}&amp;options={options}" if options else f"product_ref={ref}")


def _problem_of(line: PricedLine) -> str:
    if line.problem is Problem.UNAVAILABLE and hindrance(line.line, line.card) is Why.CHOICE:
        return CHOICE
    return line.problem.value if line.problem is not None else ""


def _key_of(form: ChangeForm) -> Key:
    data = form.cleaned_data
    return data.get("product_ref", ""), data.get("options", "")
