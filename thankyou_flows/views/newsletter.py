"""The page behind the link in a newsletter confirmation mail, whose button alone confirms (EM-1); and the API that asks
for such a mail.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from wagtail.models import Site

from coupons.links import unlock_path
from coupons.models import Coupon
from coupons.wording import good_for
from wishlists.origin import same_origin_post

from ..headers import add_private_headers
from ..models import ConsentReceipt
from ..newsletter import (
    ChallengeFailed,
    LinkOver,
    NewsletterError,
    TooManySignUps,
    find_confirmation,
    incentives,
    subscribe_visitor,
)
from ..newsletter import confirm as confirm_subscription
from ..newsletter.forms import SignUpForm
from ..outcomes import flow_of
from ..ratelimit import client_ip, hit
from ..stores import get_store
from .later import later_without_database

if TYPE_CHECKING:
    from django.http import HttpRequest

    from ..models import ConfirmationLink

logger = logging.getLogger(__name__)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_post
@later_without_database
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
    site = Site.find_for_request(request)
    try:
        confirm_subscription(
            token=token,
            # The pattern instead of the path: the token is a secret and belongs into no receipt.
            path=f"/{match.route}" if match else "",
            language=get_language() or "",
            ip_key=client_ip(request),
            base_url=request.build_absolute_uri("/"),
            site_name=site.site_name if site is not None else "",
        )
        link.receipt.subscription.refresh_from_db(fields=["state", "email"])
    except LinkOver:
        return _answer(request, "gone")
    return _answer(request, "done", link)


@login_not_required
@same_origin_post
@transaction.non_atomic_requests
@require_POST
def subscribe(request: HttpRequest) -> HttpResponseBase:
    """Take a sign-up from a shop's own front end, as JSON or as a form: ``email``, ``wording`` (the exact text that was
    shown, at most 1,000 characters; kept with the consent as what the front end says it showed, EM-4), and if wanted
    ``list`` (a slug; "newsletter"), ``path`` (the page on which it stood) and ``homepage`` (the trap, empty).

    How long somebody took to fill it in (``MIN_FILL_SECONDS``) cannot be known here: the front end is not ours. What stands
    against programs are the limits of sign-ups, which are the same for all ways, and the shop's ``SIGN_UP_CHALLENGE``.

    Answers ``{"state": "sent"}`` for every address (EM-2); 400 ``{"error": "invalid", "errors": by field}``, 403
    ``challenge``, 429 ``too_many``, 503 ``later``, each with a ``message`` for the customer. Where a POST may come from
    is as for the forms (``same_origin_post``): from a page of this site, or with Django's token in ``X-CSRFToken``.
    """
    data = _posted(request)
    if data is None:
        return _refuse("invalid", _("This is not JSON that can be read."), status=400, errors={})
    form = SignUpForm(data)
    try:
        if not form.is_valid():
            message = str(next(iter(form.errors.values()))[0])
            return _refuse("invalid", message, status=400, errors=form.errors)
        with transaction.atomic():
            subscribe_visitor(
                request=request,
                email=form.cleaned_data["email"],
                wording=form.cleaned_data["wording"],
                list_slug=form.cleaned_data["list"],
                method=ConsentReceipt.Method.API,
                source="api",
                path=form.cleaned_data["path"],
            )
    except TooManySignUps as error:
        return _refuse("too_many", str(error), status=429, headers={"Retry-After": "60"})
    except ChallengeFailed as error:
        return _refuse("challenge", str(error), status=403)
    except (NewsletterError, ValidationError) as error:
        # The list was closed a moment ago, or the address is none after all.
        field = "email" if isinstance(error, ValidationError) else "list"
        words = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        return _refuse("invalid", words, status=400, errors={field: [words]})
    except Exception:
        logger.exception("A sign-up from the API failed.")
        words = _("Something went wrong on our side. Nothing was changed; please try again.")
        return _refuse("later", words, status=503)
    return add_private_headers(JsonResponse({"state": "sent"}))


def _posted(request: HttpRequest) -> Any:
    """Return what was posted, as form data; None for what is no object of texts."""
    if request.content_type != "application/json":
        return request.POST
    try:
        data = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    is_flat = isinstance(data, dict) and all(isinstance(value, str) for value in data.values())
    return data if is_flat else None


def _refuse(code: str, message: str, *, status: int, headers: dict[str, str] | None = None, **more: Any) -> Any:
    body = {"error": code, "message": message, **more}
    return add_private_headers(JsonResponse(body, status=status, headers=headers))


def _answer(request: HttpRequest, state: str, link: ConfirmationLink | None = None) -> HttpResponseBase:
    response = render(
        request,
        "thankyou_flows/newsletter_confirm.html",
        {
            "state": state,
            "link": link,
            "shop_url": get_store().get_shop_url(),
            "flow": flow_of(request),
            **_coupon_context(link if state in {"done", "already"} else None),
        },
        status=404 if state == "gone" else 200,
    )
    # "no-referrer" would be too strict: with it, browsers send "Origin: null" along with the form, and without
    # Sec-Fetch-Site (plain http, old Safari) nobody could confirm. "strict-origin" keeps the token out of every Referer
    # just as well.
    return add_private_headers(response, referrer="strict-origin")


def _coupon_context(link: ConfirmationLink | None) -> dict[str, Any]:
    """Return the thank-you coupon of a confirmed sign-up, for whoever holds its link; nothing if it brought none."""
    coupon = incentives.find(subscription=link.receipt.subscription) if link is not None else None
    if coupon is None:
        return {}
    is_locked = coupon.state == Coupon.State.LOCKED
    return {
        "promise": {"coupon": coupon},
        "coupon": coupon,
        "campaign": coupon.campaign,
        "unlock_path": unlock_path(coupon) if is_locked else "",
        "good_for": good_for(coupon.deadline_minutes) if is_locked and coupon.deadline_minutes else "",
    }
