"""Template tags for a shop's own pages: a field for codes, and the offer to use the code of a link."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils.encoding import escape_uri_path

from ..codes import MAX_INPUT, normalise
from ..exceptions import TypingError

register = template.Library()

#: The parameter of links that bring a code (CO-12).
PARAMETER = "coupon"


@register.inclusion_tag("thankyou_coupons/entry_form.html", takes_context=True)
def coupon_entry(context: template.Context, *, next: str = "", is_open: bool = False) -> dict[str, Any]:
    """Show "I have a code": a field that unfolds, and works without JavaScript.

    ``next`` is where the customer goes then (default: this page). The form carries Django's token, so that the page
    cannot be cached: put it where a page is private anyway, as the cart or the checkout.
    """
    request = context.get("request")
    return {
        "apply_url": reverse("thankyou_coupons:apply"),
        "next": next or (_here(request) if request is not None else ""),
        "is_open": is_open,
        "longest": MAX_INPUT,
    }


@register.inclusion_tag("thankyou_coupons/coupon_from_link.html", takes_context=True)
def coupon_from_link(context: template.Context, *, next: str = "") -> dict[str, Any]:
    """Show "You bring the code …" if this page was opened with ``?coupon=…``; nothing otherwise.

    It changes nothing and asks no database (CO-12): its button leads to the page where the code is used by a POST. No
    cookie and no session is read, so that the page stays cacheable.
    """
    request = context.get("request")
    if request is None:
        return {}
    text = request.GET.get(PARAMETER, "").strip()
    apply_url = reverse("thankyou_coupons:apply")
    # Whoever makes the link could write whole sentences on our page, so there is no room for more than a code.
    if not text or any(symbol.isspace() for symbol in text) or request.path == apply_url:
        return {}
    try:
        normalise(text)
    except TypingError:
        return {}
    to = {PARAMETER: text, "next": next or _here(request)}
    return {"text": text.upper(), "apply_url": f"{apply_url}?{urlencode(to)}"}


def _here(request: HttpRequest) -> str:
    """Return the address of this page without the code, so that the customer is not asked again."""
    query = request.GET.copy()
    query.pop(PARAMETER, None)
    path = escape_uri_path(request.path)
    return f"{path}?{query.urlencode()}" if query else path
