"""Whom a follow-up would write to: the address, language and zone behind an order, a coupon, or an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coupons.holders import verified_email_of
from coupons.models import Coupon

from ..models import Contact
from ..promises import order_number_of
from ..stores import get_store
from ..values import Order
from .zones import zone_of_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody whose address is known."""

    email: str
    language: str = ""
    #: IANA name; empty if nobody knows.
    time_zone: str = ""
    #: The order by which the address is known, if one is.
    order: Order | None = None


def person_of_order(order: Order) -> Person | None:
    """Return the customer of an order; None if the shop keeps no address with it."""
    if not order.email:
        return None
    return Person(email=order.email, language=order.language, time_zone=zone_of_order(order), order=order)


def person_of_coupon(coupon: Coupon) -> Person | None:
    """Return the holder of a coupon: the customer of the order it was given with, else the contact with its key. None for
    a public word, and where no address is known. Costs what ``Store.get_order`` costs, and one query.
    """
    if coupon.is_word:
        return None
    number = order_number_of(coupon)
    order = get_store().get_order(number=number) if number else None
    if order is not None and order.email:
        return person_of_order(order)
    if not coupon.holder_key:
        return None
    contact = Contact.objects.filter(email_key=coupon.holder_key).exclude(email="").first()
    if contact is None:
        return None
    return Person(email=contact.email, language=contact.language, time_zone=contact.time_zone)


def person_of_account(user: Any) -> Person | None:
    """Return the owner of an account; None unless the address is verified: anybody can open one with somebody else's."""
    email = verified_email_of(user) if user is not None and user.is_active else ""
    return Person(email=email) if email else None
