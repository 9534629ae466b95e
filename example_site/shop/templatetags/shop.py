"""What the shop's layout needs on every page, without touching a cookie."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.conf import settings
from django.db.models import QuerySet

from wishlists.catalog import choices_of
from wishlists.pricing import PricedLine

from ..models import CategoryPage
from ..payment_methods import PaymentMethod
from ..shipping import ShippingMethod

register = template.Library()


@register.simple_tag
def category_pages() -> QuerySet[CategoryPage]:
    """Return the live category pages in the editor's order. One query."""
    return CategoryPage.objects.live().filter(show_in_menus=True).order_by("path")


@register.simple_tag
def is_demo() -> bool:
    """Whether this is a demo, whose mailbox and bank are open."""
    return bool(settings.DEBUG or settings.DEMO)


@register.simple_tag
def shipping_methods() -> Iterable[ShippingMethod]:
    """Return the shipping methods with their cost."""
    return list(ShippingMethod)


@register.inclusion_tag("shop/field.html")
def field(bound_field: object, css: str = "") -> dict[str, object]:
    """Show a form field: label above, hint and error beside it."""
    return {"field": bound_field, "css": css}


@register.filter
def choice_of(line: PricedLine) -> str:
    """Return what was chosen of a product in the cart, in words; an empty text if there was nothing to choose."""
    options = line.line.options
    return (choices_of(line.card) or {}).get(options, options) if line.card is not None else options


@register.simple_tag
def payment_method(value: str) -> PaymentMethod:
    """Return the payment method behind a choice's value, for its explanation."""
    return PaymentMethod(value)
