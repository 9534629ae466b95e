"""What is on a list as rows of a file, at the prices of this moment, for customers who take their list along."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from .availability import availability_text
from .catalog import Card, Catalog, option_titles_of
from .lines import Line, Lines
from .models import ListItem


def header() -> list[str]:
    """Return the names of the columns."""
    return [
        pgettext("of a product", "Title"),
        _("Product reference"),
        pgettext("product", "Options"),
        _("Quantity"),
        _("Note"),
        _("Priority"),
        _("Price today"),
        _("Currency"),
        _("Availability"),
        _("Saved on"),
        pgettext("of a page", "Address"),
    ]


def export_rows(
    lines: Lines, catalog: Catalog, *, items: Iterable[ListItem] = (), to_url: Callable[[str], str]
) -> Iterator[list[str]]:
    """Yield the header and a row for each line, by two questions to the catalogue at most.

    ``items`` are an account's rows, with what a guest's cookie does not hold (CK-1): note, priority, date, and the title
    of what left the shop. ``to_url`` makes a whole address of the catalogue's.
    """
    refs = list(dict.fromkeys(line.product_ref for line in lines))
    cards = catalog.get_products(refs=refs) if refs else {}
    options = option_titles_of(catalog, keys=[line.key for line in lines], cards=cards)
    rows = {item.key: item for item in items}
    yield header()
    for line in lines:
        yield _row(line, cards.get(line.product_ref), rows.get(line.key), options.get(line.key, ""), to_url)


def _row(line: Line, card: Card | None, item: ListItem | None, options: str, to_url: Callable[[str], str]) -> list[str]:
    price = card.price if card is not None else None
    return [
        card.title if card is not None else item.title if item is not None else "",
        line.product_ref,
        options,
        str(line.quantity),
        item.note if item is not None else "",
        str(item.get_priority_display()) if item is not None else "",
        str(price.amount) if price is not None else "",
        str(price.currency) if price is not None else "",
        availability_text(card, line.options),
        timezone.localtime(item.added_at).date().isoformat() if item is not None else "",
        to_url(card.url) if card is not None and card.url else "",
    ]
