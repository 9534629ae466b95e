"""The two pages between which things move: the cart, and what is saved for later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url

from .. import notes
from ..baskets import describe_basket
from ..catalog import Card, get_catalog
from ..conf import app_settings
from ..forms import ChangeForm
from ..kinds import CART, SAVED, WISH
from ..lines import Lines
from ..moving import parkable
from ..notes import Note
from ..pricing import is_buyable, price, price_alone
from ..rows import make_rows
from ..shelf import Shelf, is_on, lists_of


class Words(NamedTuple):
    """What to say of one product after several were moved."""

    title: str
    text: str


def cart_page(
    request: HttpRequest, *, tried: ChangeForm | None = None, words: Iterable[Words] = (), status: int = 200
) -> HttpResponse:
    """Answer with the cart page.

    ``tried`` is a change that was refused and stands, with its error, in its line; ``words`` are about single products
    that were to be moved. What cannot be bought now is shown as parked; it is, at the next POST of this page.
    """
    shelf, catalog = lists_of(request), get_catalog()
    words = list(words)
    _load(shelf)
    saved = shelf.get(SAVED) if is_on(SAVED) else Lines(kind=SAVED)
    parked = [line for line in saved if line.parked]
    note = notes.read(request) if tried is None and not words else None
    cart = price(shelf.cart, catalog, also=[*_refs(note), *(line.product_ref for line in parked)])
    to_park = set(parkable(shelf.cart, cards=cart.cards))
    rows = make_rows(
        [line for line in cart.lines if line.line not in to_park],
        catalog,
        items=_items(shelf, CART),
        tried=tried,
        is_cart=True,
    )
    # What is parked already and in the cart again is one thing that waits.
    twice = {line.key for line in to_park}
    parked = [line for line in parked if line.key not in twice]
    waiting = [
        *(
            (row, CART)
            for row in make_rows(price_alone([line for line in shelf.cart if line in to_park], cart.cards), catalog)
        ),
        *((row, SAVED) for row in make_rows(price_alone(parked, cart.cards), catalog, items=_items(shelf, SAVED))),
    ]
    response = render(
        request,
        "thankyou_wishlists/cart.html",
        {
            "cart": cart,
            "rows": rows,
            "waiting": [(row, origin) for row, origin in waiting if not row.is_again],
            "again": [row for row, _origin in waiting if row.is_again],
            "parks": bool(to_park),
            "words": words,
            "can_save": is_on(SAVED),
            "saved_count": len(saved),
            "is_account": shelf.account is not None,
            "tried": tried,
            "checkout_url": resolve_url(app_settings.checkout_url) if app_settings.checkout_url else "",
            "shop_url": resolve_url(app_settings.shop_url),
            **_status(note, cart.cards.get(note.product_ref) if note is not None else None),
        },
        status=status,
    )
    notes.drop(request, response)
    return response


def saved_page(
    request: HttpRequest,
    *,
    tried: ChangeForm | None = None,
    words: Iterable[Words] = (),
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """Answer with the page of what is saved for later; ``problem`` says why nothing changed. Else as ``cart_page``.

    A guest costs one query of the catalogue's at most, whatever the number of products.
    """
    shelf, catalog = lists_of(request), get_catalog()
    words = list(words)
    lines = shelf.get(SAVED)
    note = notes.read(request) if tried is None and not words and not problem else None
    refs = list(dict.fromkeys([*(line.product_ref for line in lines), *_refs(note)]))
    cards = catalog.get_products(refs=refs) if refs else {}
    change = request.GET.get("change", "") if tried is None else ""
    rows = make_rows(price_alone(lines, cards), catalog, items=_items(shelf, SAVED), tried=tried, change=change)
    basket = describe_basket()
    newest = rows[::-1]
    again = [row for row in newest if row.is_again]
    response = render(
        request,
        "thankyou_wishlists/saved.html",
        {
            # First what came back, then the newest.
            "rows": [*again, *(row for row in newest if not row.is_again)],
            "can_put": basket.exists and any(row.is_buyable for row in rows),
            "words": words,
            "problem": problem,
            "basket": basket,
            "is_account": shelf.account is not None,
            "has_wish_lists": is_on(WISH),
            "tried": tried,
            "shop_url": resolve_url(app_settings.shop_url),
            **_status(note, cards.get(note.product_ref) if note is not None else None),
        },
        status=status,
    )
    response.headers["X-Robots-Tag"] = "noindex"
    notes.drop(request, response)
    return response


def _load(shelf: Shelf) -> None:
    """Read an account's lists by one query."""
    if shelf.account is not None:
        shelf.account.load()


def _items(shelf: Shelf, kind: str) -> list[Any]:
    return shelf.account.items(kind) if shelf.account is not None else []


def _refs(note: Note | None) -> list[str]:
    return [note.product_ref] if note is not None and note.product_ref else []


def _status(note: Note | None, card: Card | None) -> dict[str, Any]:
    """What just happened, and what of it can be taken back by the same click that did it."""
    code = note.code if note is not None else ""
    return {
        "note": note,
        "status_text": note.text(card) if note is not None else "",
        "removed": card if code == "removed" and is_buyable(card) else None,
        "unsaved": card if code == "unsaved" else None,
        "just_saved": code in ("saved", "saved_many"),
    }
