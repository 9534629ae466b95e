"""Lists as plain data for shops with a front end of their own: what JSON can hold, under names that stay.

Amounts are text ("12.50"), because a price is no binary fraction; moments are ISO 8601. What is not known is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from djmoney.money import Money

from .catalog import Catalog, option_titles_of
from .kinds import Kind
from .lines import Lines, key_text
from .models import ListItem, ProductList
from .pricing import PricedLine, price


def plain_kind(kind: Kind) -> dict[str, Any]:
    """Return the policy of a kind, as far as a front end has to know it."""
    return {
        "kind": kind.name,
        "label": str(kind.label),
        "guests": kind.guests,
        "quantities": kind.quantities,
        "keepable": kind.keepable,
        "shareable": kind.shareable,
        "max_items": kind.max_items,
        "max_lists": kind.max_lists,
        "days": kind.days,
        "drops_oldest": kind.drops_oldest,
    }


def plain_money(money: Money | None) -> dict[str, str] | None:
    """Return an amount, with the digits that its currency has (and more only if the price has them), and the currency."""
    if money is None:
        return None
    amount, currency = money.amount, money.currency
    digits = len(str(currency.sub_unit)) - 1
    places = -int(amount.as_tuple().exponent)
    if places > digits:
        places = -int(amount.normalize().as_tuple().exponent)
    return {"amount": f"{amount:.{max(digits, places)}f}", "currency": str(currency.code)}


def plain_lines(
    lines: Lines,
    catalog: Catalog,
    *,
    rows: Iterable[ListItem] = (),
    hides: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the items of a list at the catalogue's prices of this moment (CK-4), and what they come to.

    At most two questions to the catalogue: for all products, and for what their options are called if there are any.
    ``rows`` are those of an account, with what a guest's cookie does not hold; ``hides`` names fields to leave out.
    """
    known = {row.key: row for row in rows}
    priced = price(lines, catalog)
    titles = option_titles_of(catalog, keys=[line.key for line in lines], cards=priced.cards)
    items = [_item(line, known.get(line.line.key), titles) for line in priced.lines]
    for name in hides:
        for item in items:
            item.pop(name, None)
    return {"count": lines.count, "subtotal": plain_money(priced.subtotal), "items": items}


def _item(line: PricedLine, row: ListItem | None, titles: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    card, key = line.card, line.line.key
    return {
        "key": key_text(key),
        "product_ref": line.line.product_ref,
        "options": line.line.options,
        "option_title": titles.get(key, ""),
        "title": card.title if card is not None else row.title if row is not None else "",
        "url": card.url if card is not None else "",
        "image_url": card.image_url if card is not None else "",
        "image_alt": card.image_alt if card is not None else "",
        "price": plain_money(line.unit_price),
        "quantity": line.line.quantity,
        "buyable_quantity": line.quantity,
        "available": line.is_buyable,
        "problem": line.problem.value if line.problem is not None else None,
        "parked": line.line.parked,
        "note": row.note if row is not None else "",
        "priority": row.priority if row is not None else ListItem.Priority.NORMAL.value,
        "price_when_saved": plain_money(row.price) if row is not None else None,
        "added": row.added_at.isoformat() if row is not None else None,
    }


def plain_wish_list(row: ProductList, *, share_url: str | None) -> dict[str, Any]:
    """Return what the owner may know of a wish list besides its items."""
    return {
        "key": row.key,
        "name": row.name,
        "created": row.created_at.isoformat(),
        "changed": row.changed_at.isoformat(),
        "is_shared": row.is_shared,
        "share_url": share_url,
        "shares_additions": row.shares_additions,
        "shown_name": row.shown_name,
        "hides_gifts": row.hides_gifts,
    }
