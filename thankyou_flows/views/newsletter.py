"""The page behind the link in a newsletter confirmation mail: only its button confirms (EM-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from wishlists.origin import same_origin_post

from ..headers import add_private_headers
from ..newsletter import LinkOver, find_confirmation
from ..newsletter import confirm as confirm_subscription
from ..outcomes import flow_of
from ..ratelimit import client_ip, hit
from ..stores import get_store

if TYPE_CHECKING:
    from django.http import HttpRequest

    from ..models import ConfirmationLink


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_post
def confirm(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show what the link confirms, and confirm it on POST. Unknown, expired and mangled links get the same page."""
    # The token cannot be guessed; the limit only keeps guessers cheap, so a broken cache does not stop a customer.
    if not hit(name="newsletter-link", key=client_ip(request), limits=["20/minute"], if_broken=True):
        return _answer(request, "gone")
    link = find_confirmation(token=token)
    if link is None:
        return _answer(request, "gone")
    if link.used_at is not None:
        return _answer(request, "already", link)
    if request.method != "POST":
        return _answer(request, "ask", link)
    match = request.resolver_match
    try:
        # The pattern instead of the path: the token is a secret and belongs into no receipt.
        confirm_subscription(token=token, path=f"/{match.route}" if match else "", language=get_language() or "")
    except LinkOver:
        return _answer(request, "gone")
    return _answer(request, "done", link)


def _answer(request: HttpRequest, state: str, link: ConfirmationLink | None = None) -> HttpResponseBase:
    response = render(
        request,
        "thankyou_flows/newsletter_confirm.html",
        {"state": state, "link": link, "shop_url": get_store().get_shop_url(), "flow": flow_of(request)},
        status=404 if state == "gone" else 200,
    )
    # "no-referrer" would be too strict: with it, browsers send "Origin: null" along with the form, and without
    # Sec-Fetch-Site (plain http, old Safari) nobody could confirm. "strict-origin" keeps the token out of every Referer
    # just as well.
    return add_private_headers(response, referrer="strict-origin")
