"""The entry of codes: a form's page, and JSON for shops with a front end of their own. Both go through ``entry.enter``
and its limits (CO-6, CO-7); GET changes nothing (CO-12); no answer is cached.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from functools import wraps
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_POST
from djmoney.money import Money

from ..arithmetic import Quote, minor_unit
from ..codes import MAX_INPUT, normalise
from ..entry import Entry, StagedCoupon, enter, overview
from ..exceptions import CouponError, TooManyTries, TypingError
from ..models import Coupon
from ..signals import code_staged, code_unstaged
from ..staging import unstage
from ..visitors import basket_of, has_passed_challenge, visitor_of
from .headers import add_private_headers

#: Longest ``next`` in bytes; Django refuses redirects of more than 2,048.
MAX_NEXT: Final = 1900


class SeeOther(HttpResponseRedirect):
    """After a POST: go and GET that page."""

    status_code = 303


def _private(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Protect the view with Django's CSRF token, and keep caches and crawlers away from every answer."""
    protected = csrf_protect(view)

    @wraps(view)
    def wrapper(request: HttpRequest) -> HttpResponse:
        return add_private_headers(protected(request))

    return wrapper


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@_private
def apply(request: HttpRequest) -> HttpResponse:
    """GET shows the field and its button, filled in from ``?coupon=``, and changes nothing (CO-12). POST tries
    ``code``: on to ``next`` with a message, or the same page again with the error beside the field (422, 429).
    """
    if request.method != "POST":
        return _page(request, text=request.GET.get("coupon", ""))
    text = request.POST.get("code", "")
    try:
        entry = _try(request, text)
    except CouponError as error:
        return _refused(_page(request, text=text, error=error), error)
    if not entry.title:
        news = _("Your coupon is kept for your order.")
    elif entry.quote is not None and entry.quote.facts.lines:
        news = _("Your coupon is on this order: %(benefit)s.") % {"benefit": entry.title}
    else:
        news = _("Your coupon is kept for your order: %(benefit)s.") % {"benefit": entry.title}
    return _done(request, news)


@login_not_required
@require_POST
@_private
def remove(request: HttpRequest) -> HttpResponse:
    """Take ``code`` off the order again and go on to ``next``. Nothing is looked up, so nothing can be guessed."""
    _take_off(request, request.POST.get("code", ""))
    return _done(request, _("The coupon was taken off this order."))


@login_not_required
@require_http_methods(["GET", "HEAD", "POST", "DELETE"])
@_private
def api(request: HttpRequest) -> HttpResponse:
    """Answer with the staged coupons and the quote, as JSON. POST ``{"code": …}`` tries a code, DELETE takes one off;
    errors are ``{"code", "message"}`` with status 422, or 429 for too many tries (CO-7).
    """
    if request.method in {"POST", "DELETE"}:
        text = _code_of_body(request)
        if text is None:
            message = _("Send a JSON object with the text “code”.")
            return JsonResponse({"code": "bad_request", "message": message}, status=400)
        if request.method == "DELETE":
            _take_off(request, text)
        else:
            try:
                _try(request, text)
            except CouponError as error:
                return _refused(JsonResponse({"code": error.code, "message": error.message}), error)
    found = overview(session=request.session, facts=basket_of(request))
    return JsonResponse(
        {
            "coupons": [_coupon_as_json(each) for each in found.coupons],
            "quote": None if found.quote is None else _quote_as_json(found.quote),
        }
    )


def _try(request: HttpRequest, text: str) -> Entry:
    entry = enter(
        text=text,
        visitor=visitor_of(request),
        session=request.session,
        facts=basket_of(request),
        challenge_passed=has_passed_challenge(request),
    )
    code_staged.send_robust(sender=Coupon, request=request, code=entry.code)
    return entry


def _take_off(request: HttpRequest, text: str) -> None:
    unstage(request.session, text)
    with suppress(TypingError):
        code_unstaged.send_robust(sender=Coupon, request=request, code=normalise(text))


def _refused(response: HttpResponse, error: CouponError) -> HttpResponse:
    """Give an answer the status of its error."""
    response.status_code = 422
    if isinstance(error, TooManyTries):
        response.status_code = 429
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _page(request: HttpRequest, *, text: str = "", error: CouponError | None = None, news: str = "") -> HttpResponse:
    """Answer with the page of the field; what was typed stays in it."""
    context = {
        "text": text[:MAX_INPUT],
        "is_brought": request.method != "POST" and bool(text.strip()),
        "error": error,
        "news": news,
        "next": _next(request),
        "coupons": overview(session=request.session, facts=basket_of(request)).coupons,
        "longest": MAX_INPUT,
    }
    return render(request, "thankyou_coupons/entry.html", context)


def _done(request: HttpRequest, news: str) -> HttpResponse:
    """Lead on, with the news in Django's messages; without those, say it here."""
    try:
        messages.success(request, news)
    except messages.MessageFailure:
        return _page(request, news=news)
    return SeeOther(_next(request) or reverse("thankyou_coupons:apply"))


def _next(request: HttpRequest) -> str:
    """Return where to go on to, if it is an address of this site that browsers and Django accept; else an empty text
    (CM-3).
    """
    to = (request.POST if request.method == "POST" else request.GET).get("next", "")
    if len(iri_to_uri(to)) > MAX_NEXT:
        return ""
    secure, hosts = request.is_secure(), {request.get_host()}
    return to if url_has_allowed_host_and_scheme(to, hosts, require_https=secure) else ""


def _code_of_body(request: HttpRequest) -> str | None:
    try:
        data = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    text = data.get("code") if isinstance(data, dict) else None
    return text if isinstance(text, str) else None


def _coupon_as_json(coupon: StagedCoupon) -> dict[str, Any]:
    error = coupon.error
    return {
        "code": coupon.code,
        "title": coupon.title,
        "amount": None if coupon.amount is None else _money(coupon.amount),
        "error": None if error is None else {"code": error.code, "message": error.message},
    }


def _quote_as_json(quote: Quote) -> dict[str, Any]:
    off: dict[str, Money] = {}
    for discount in quote.discounts:
        for ref, amount in discount.lines.items():
            off[ref] = off[ref] + amount if ref in off else amount
    nothing = Money(Decimal(0), quote.facts.currency)
    return {
        "currency": quote.facts.currency,
        "lines": [
            {"ref": line.ref, "total": _money(line.total), "discount": _money(off.get(line.ref, nothing))}
            for line in quote.facts.lines
        ],
        "subtotal": _money(quote.subtotal),
        "discount": _money(quote.discount),
        "shipping": _money(quote.shipping),
        "shipping_discount": _money(quote.shipping_discount),
        "total": _money(quote.total),
    }


def _money(money: Money) -> str:
    """Return an amount as text, with the decimals of its currency: floats would not be exact."""
    rounded = money.amount.quantize(minor_unit(money.currency.code))
    return str(rounded if rounded == money.amount else money.amount)
