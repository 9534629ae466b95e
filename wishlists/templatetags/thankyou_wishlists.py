"""Template tags. Those for a shop's own pages read no cookie, so that these pages stay cacheable (CK-7).

Three do: ``left_note``, ``device_line`` and ``things_to_ask``. They are for pages of the lists only, which no cache keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.http import HttpRequest
from django.template import Context
from django.urls import reverse

from ..asking import count_things
from ..forms import AddForm
from ..forms import dom_id as make_dom_id
from ..kinds import CART, COMPARE, RECENT, SAVED
from ..returning import device_context, is_quiet, note_context
from ..shelf import is_on, lists_of
from ..state import count_context

register = template.Library()


@register.inclusion_tag("thankyou_wishlists/cart_badge.html")
def cart_badge() -> dict[str, Any]:
    """Show a link to the cart; a small script adds the number of pieces, and without it the link is all there is."""
    return count_context(CART)


@register.inclusion_tag("thankyou_wishlists/list_count.html")
def list_count(kind: str, *, label: str = "") -> dict[str, Any]:
    """Show a link to one of the visitor's lists ("saved", "compare", "recent"), to which a script adds how much is on it.

    ``label`` is for shops that call it otherwise. Nothing for a kind that the shop has switched off. Raises
    ValueError for a kind of which there is not just one.
    """
    return count_context(kind, label=label)


@register.inclusion_tag("thankyou_wishlists/list_prompt.html", takes_context=True)
def list_prompt(context: Context) -> dict[str, Any]:
    """Show, by a script and only if there is something, the note about what an earlier visit left on this device, or
    the question what should become of a guest's things after a login. Nothing during the checkout (CK-5), and nothing
    on the pages of the lists, which say it themselves.

    It depends on the address of the page alone, which may be cached (CK-7). Once a page, best below its header.
    """
    request = context.get("request")
    if request is None or is_quiet(request.path) or _is_ours(request):
        return {}
    return {"is_shown": True, "can_save": is_on(SAVED)}


@register.inclusion_tag("thankyou_wishlists/includes/left_note.html", takes_context=True)
def left_note(context: Context) -> dict[str, Any]:
    """Show the note about what an earlier visit left, without a script; for pages of the lists only, as it reads them."""
    request = _with_lists(context)
    return note_context(lists_of(request), next=request.path) if request is not None else {}


@register.inclusion_tag("thankyou_wishlists/includes/device_line.html", takes_context=True)
def device_line(context: Context) -> dict[str, Any]:
    """Say where a guest's lists are kept and for how long, with the buttons that change it; for pages of the lists only."""
    request = _with_lists(context)
    return device_context(lists_of(request), next=request.path) if request is not None else {}


@register.inclusion_tag("thankyou_wishlists/add_to_cart_form.html")
def add_to_cart_form(
    product_ref: Any,
    *,
    title: str = "",
    options: str = "",
    next: str = "",
    max_quantity: int | None = None,
    show_quantity: bool = True,
    choices: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Show the form that puts a product into the cart.

    ``title`` names the product for screen readers (needed where several forms are on a page); ``next`` is where the
    customer goes then (default: the cart), and the form says "added" there if that page has it; ``max_quantity`` is
    what is in stock; ``show_quantity=False`` leaves the field out, as on a card in a grid;
    ``choices`` are what the product comes in, titles by options reference, of which the customer picks one.
    """
    ref = str(product_ref)
    slug = make_dom_id(ref, options)
    initial = {"product_ref": ref, "options": options, "next": next, "quantity": 1}
    return {
        "form": AddForm(initial=initial, auto_id=f"ty-add-{slug}-%s", available=max_quantity, choices=choices),
        "slug": slug,
        "title": title,
        "show_quantity": show_quantity,
        "cart_url": reverse("thankyou_wishlists:cart"),
    }


@register.simple_tag(takes_context=True)
def things_to_ask(context: Context) -> int:
    """Return how many things from before the login wait for a decision on this device; for pages of the lists only."""
    request = _with_lists(context)
    return count_things(lists_of(request)) if request is not None else 0


@register.inclusion_tag("thankyou_wishlists/compare_button.html")
def compare_button(product_ref: Any, *, options: str = "", title: str = "", next: str = "") -> dict[str, Any]:
    """Show the form that puts a product into the comparison; nothing if the shop has none.

    ``title`` names the product for screen readers; ``next`` is where the customer goes then (default: the comparison),
    and the form says there that it is done.
    """
    return {
        "is_on": is_on(COMPARE),
        "product_ref": str(product_ref),
        "options": options,
        "title": title,
        "next": next,
        "slug": make_dom_id(str(product_ref), options),
    }


@register.inclusion_tag("thankyou_wishlists/recently_viewed.html")
def recently_viewed() -> dict[str, Any]:
    """Show, by a script, the last products this visitor looked at, and the switch that it takes; nothing if it is off.

    The switch stands on pages that name their product with ``{% viewed %}``: turning it on begins with that one.
    """
    return {"is_on": is_on(RECENT)}


@register.inclusion_tag("thankyou_wishlists/viewed.html")
def viewed(product_ref: Any, *, options: str = "") -> dict[str, Any]:
    """Name the product of this page to the script, which remembers it only for visitors who have asked for that."""
    return {"is_on": is_on(RECENT), "product_ref": str(product_ref), "options": options}


@register.inclusion_tag("thankyou_wishlists/save_button.html")
def save_button(
    product_ref: Any, *, options: str = "", title: str = "", next: str = "", show_label: bool = False
) -> dict[str, Any]:
    """Show a heart that saves a product for later; pressed again, it takes it off. The same for everybody, so cacheable.

    ``title`` names the product for screen readers; ``next`` is where the customer goes then without JavaScript (default:
    what is saved), and the button says "saved" there if that page has it; ``show_label`` writes it beside the heart.
    Where the page has an add-to-cart form with choices for the product, the script saves what is chosen there. Without
    JavaScript the heart is a form of its own and saves the product without a choice; the customer makes it later.
    Nothing if the shop has switched saving off.
    """
    ref = str(product_ref)
    return {
        "is_on": is_on(SAVED),
        "product_ref": ref,
        "options": options,
        "title": title,
        "next": next,
        "show_label": show_label,
        "slug": make_dom_id(ref, options),
        "state_url": reverse("thankyou_wishlists:state"),
    }


@register.filter
def dom_id(product_ref: Any) -> str:
    """Return an HTML id for a product reference."""
    return make_dom_id(str(product_ref))


def _is_ours(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and match.app_name == "thankyou_wishlists"


def _with_lists(context: Context) -> HttpRequest | None:
    """Return the request of a page, if our middleware has seen it."""
    request = context.get("request")
    return request if isinstance(request, HttpRequest) and hasattr(request, "lists") else None
