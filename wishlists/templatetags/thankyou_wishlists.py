"""Template tags for a shop's own pages. None of them reads a cookie, so that these pages stay cacheable (CK-7)."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from ..forms import AddForm
from ..forms import dom_id as make_dom_id

register = template.Library()


@register.inclusion_tag("thankyou_wishlists/cart_badge.html")
def cart_badge() -> dict[str, Any]:
    """Show a link to the cart; a small script adds the number of pieces, and without it the link is all there is."""
    return {
        "cart_url": reverse("thankyou_wishlists:cart"),
        "state_url": reverse("thankyou_wishlists:state"),
    }


@register.inclusion_tag("thankyou_wishlists/add_to_cart_form.html")
def add_to_cart_form(
    product_ref: Any,
    *,
    title: str = "",
    options: str = "",
    next: str = "",
    max_quantity: int | None = None,
    show_quantity: bool = True,
) -> dict[str, Any]:
    """Show the form that puts a product into the cart.

    ``title`` names the product for screen readers (needed where several forms are on a page); ``next`` is where the
    customer goes then (default: the cart), and the form says "added" there if that page has it; ``max_quantity`` is
    what is in stock; ``show_quantity=False`` leaves the field out, as on a card in a grid.
    """
    ref = str(product_ref)
    slug = make_dom_id(ref, options)
    initial = {"product_ref": ref, "options": options, "next": next, "quantity": 1}
    return {
        "form": AddForm(initial=initial, auto_id=f"ty-add-{slug}-%s", available=max_quantity),
        "slug": slug,
        "title": title,
        "show_quantity": show_quantity,
        "cart_url": reverse("thankyou_wishlists:cart"),
    }


@register.filter
def dom_id(product_ref: Any) -> str:
    """Return an HTML id for a product reference."""
    return make_dom_id(str(product_ref))
