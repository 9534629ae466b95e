"""Where "put into the cart" leads: our cart, the basket that the shop has of its own (``BASKET``), or nowhere."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from .catalog import Card
from .conf import app_settings
from .exceptions import ListFull
from .kinds import CART, SAVED
from .lines import Key, Line, remove
from .moving import REASONS, Moved, Stayed, Why, hindrance, put_into_cart
from .shelf import Shelf, is_on

logger = logging.getLogger(__name__)


class AddToBasket(Protocol):
    """The one thing asked of a shop that has its own basket: the callable named by ``BASKET``."""

    def __call__(self, *, request: HttpRequest, product_ref: str, quantity: int, options: str) -> bool:
        """Put so many pieces into the visitor's basket; return whether they are in there now.

        It runs in a transaction of its own (a savepoint); what it raises counts as False and is logged.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """What the pages say of it."""

    #: Something can be put into it.
    exists: bool
    #: It is our cart.
    is_ours: bool
    #: Where the customer finds it; empty if the shop does not say.
    url: str
    name: str
    put: str
    put_selected: str
    put_all: str
    put_back: str


def get_basket() -> AddToBasket | None:
    """Return the shop's own basket, resolved anew at each call; None if it uses our cart. ImportError for a wrong path."""
    return cast(AddToBasket, import_string(app_settings.basket)) if app_settings.basket else None


def describe_basket() -> Basket:
    """Return what the pages say of the place where things are put before the checkout."""
    if app_settings.basket or not is_on(CART):
        return Basket(
            exists=bool(app_settings.basket),
            is_ours=False,
            url=resolve_url(app_settings.basket_url) if app_settings.basket_url else "",
            name=_("Your basket"),
            put=_("Put into the basket"),
            put_selected=_("Put selected into the basket"),
            put_all=_("Put all into the basket"),
            put_back=_("Put back into the basket"),
        )
    return Basket(
        exists=True,
        is_ours=True,
        url=reverse("thankyou_wishlists:cart"),
        name=pgettext("list of products", "Your cart"),
        put=_("Put into the cart"),
        put_selected=_("Put selected into the cart"),
        put_all=_("Put all into the cart"),
        put_back=_("Put back into the cart"),
    )


def put_into_basket(*, request: HttpRequest, shelf: Shelf, keys: Collection[Key], cards: Mapping[str, Card]) -> Moved:
    """Move what was saved for later into the shop's basket if it has its own, else into our cart (``moving``).

    What the shop's basket has taken is no longer saved; the rest stays, with the reason.
    """
    basket = get_basket()
    if basket is None:
        return put_into_cart(shelf=shelf, keys=keys, cards=cards)
    wanted = set(keys)
    gone: list[Line] = []
    stayed: list[Stayed] = []
    cut: list[Line] = []
    with transaction.atomic():
        # Before the shop's basket is asked: it would take a thing twice.
        saved = shelf.account.hold(SAVED) if shelf.account is not None else shelf.get(SAVED)
        moved = Moved(source=saved, target=saved.having())
        for line in [line for line in moved.source if line.key in wanted]:
            why = hand_over(basket, request, line, cards.get(line.product_ref))
            if why is None:
                gone.append(line)
                if (quantity := _quantity(line, cards[line.product_ref])) < line.quantity:
                    cut.append(replace(line, quantity=quantity))
            else:
                stayed.append(Stayed(line, why, REASONS[why]))
        source = moved.source
        for line in gone:
            source = remove(source, product_ref=line.product_ref, options=line.options)
        if gone:
            try:
                shelf.save(source)
            except ListFull:  # less can be longer in a cookie by a byte: then it is in both, and nothing is lost
                source = moved.source
    return replace(moved, source=source, lines=tuple(gone), stayed=tuple(stayed), cut=tuple(cut))


def hand_over(basket: AddToBasket, request: HttpRequest, line: Line, card: Card | None) -> Why | None:
    """Hand one line to the shop's basket, cut to what is in stock; return why it stays, None if it went."""
    why = hindrance(line, card)
    if card is None or why is not None:
        return why or Why.GONE
    quantity = _quantity(line, card)
    try:
        with transaction.atomic():
            taken: Any = basket(request=request, product_ref=line.product_ref, quantity=quantity, options=line.options)
    except Exception:
        logger.exception("The basket of the shop did not take a product.")
        return Why.REFUSED
    return None if taken else Why.REFUSED


def _quantity(line: Line, card: Card) -> int:
    return line.quantity if card.max_quantity is None else min(line.quantity, card.max_quantity)
