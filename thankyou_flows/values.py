"""The shop's facts, as this package knows them: frozen values, built by a store adapter and read by everything else.

They have no ORM behind them and no query in them. A product is named by an opaque ``product_ref`` string.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from djmoney.money import Money


class AccessLevel(enum.IntEnum):
    """How much of an order somebody may see. Higher includes lower."""

    #: The generic page, the same for everybody.
    NONE = 0
    #: Items, state and totals; no name, no address, no e-mail, no notes.
    LIMITED = 1
    #: Everything.
    FULL = 2


class OrderState(models.TextChoices):
    """Where an order stands. A store adapter maps the shop's own words to these."""

    PLACED = "placed", _("Waiting for payment")
    PAID = "paid", _("Paid")
    SHIPPED = "shipped", _("On its way")
    DELIVERED = "delivered", _("Delivered")
    CANCELLED = "cancelled", pgettext_lazy("order", "Cancelled")
    REFUNDED = "refunded", _("Refunded")

    @property
    def is_settled(self) -> bool:
        """Whether the money is there and stays: offers and coupons may follow."""
        return self in {OrderState.PAID, OrderState.SHIPPED, OrderState.DELIVERED}


class Objection(models.TextChoices):
    """Whether the customer could say no to follow-ups while ordering: without that there is no soft opt-in (ePrivacy
    directive, article 13(2); EM-11).
    """

    NOT_OFFERED = "not_offered", _("Was not offered")
    OFFERED = "offered", _("Was offered and not used")
    USED = "used", _("The customer objected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product as a block or a list shows it."""

    ref: str
    title: str
    url: str = ""
    price: Money | None = None
    image_url: str = ""
    image_alt: str = ""
    #: Whether it can be bought now.
    available: bool = True
    #: How many can be bought at once; None means the shop does not say.
    max_quantity: int | None = None
    category_refs: tuple[str, ...] = ()
    #: How many are in stock; None means the shop does not say.
    left: int | None = None
    #: What it comes in, titles by reference; empty: there is nothing to choose; None: the shop does not say.
    choices: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One line of an order, as it was bought (not as the catalogue has it today)."""

    product_ref: str
    title: str
    quantity: int
    total: Money
    unit_price: Money | None = None
    #: Chosen variant or options, as text ("250 g").
    options: str = ""
    url: str = ""
    image_url: str = ""
    image_alt: str = ""
    category_refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address. ``country`` is an ISO 3166-1 alpha-2 code."""

    name: str = ""
    lines: tuple[str, ...] = ()
    postcode: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    phone: str = ""

    @property
    def country_name(self) -> str:
        """The country in the active language, or the code if it is not a known one."""
        from .texts import format_country

        return format_country(self.country)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order. Amounts include tax; ``total`` is what the customer pays."""

    #: The shop's own number: what is printed on the invoice and what names the order at our door.
    number: str
    state: OrderState
    placed_at: datetime
    lines: tuple[OrderLine, ...]
    subtotal: Money
    shipping: Money
    total: Money
    #: What was taken off the goods, as a positive amount.
    discount: Money | None = None
    #: Tax that is contained in the total, where the shop says it.
    tax: Money | None = None
    #: Codes that the order used, normalised as the shop stores them.
    coupon_codes: tuple[str, ...] = ()
    shipping_method: str = ""
    payment_method: str = ""
    #: What the customer still has to do to pay, in words: where to send the money, with which reference.
    payment_instructions: str = ""
    #: When it is expected at the door, earliest and latest.
    delivery_from: date | None = None
    delivery_until: date | None = None
    tracking_url: str = ""
    #: BCP 47 tag of the language the customer ordered in; empty if the shop does not keep it.
    language: str = ""
    #: Whether the checkout of this order offered to say no to follow-ups, and what the customer did.
    objection: Objection = Objection.NOT_OFFERED
    #: IANA name of the customer's time zone ("Europe/Vienna"); empty if the shop does not know: then the country may say.
    time_zone: str = ""

    # Personal data: gone in ``without_personal_data()``.
    email: str = ""
    first_name: str = ""
    shipping_address: Address | None = None
    billing_address: Address | None = None
    note: str = ""

    #: Whatever else an adapter wants to hand to its own blocks. Dropped in the limited view.
    extra: Mapping[str, object] = field(default_factory=dict)

    @property
    def currency(self) -> str:
        return str(self.total.currency)

    @property
    def item_count(self) -> int:
        """How many pieces were bought, over all lines."""
        return sum(line.quantity for line in self.lines)

    @property
    def is_settled(self) -> bool:
        return OrderState(self.state).is_settled

    def without_personal_data(self) -> Order:
        """Return the order as somebody with only a link may see it (TY-1): items, state and totals."""
        return replace(
            self,
            email="",
            first_name="",
            shipping_address=None,
            billing_address=None,
            note="",
            tracking_url="",
            extra={},
        )
