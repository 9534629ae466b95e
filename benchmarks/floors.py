"""The floors: views that do the least with which the job can be done at all, behind the same middleware."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html_join
from django.views.decorators.csrf import csrf_exempt

from .catalog import Catalog
from .models import BareItem

COOKIE = "bare_cart"
SALT = "benchmarks.floors"


def bare(request: HttpRequest) -> HttpResponse:
    """Answer."""
    return HttpResponse("<!doctype html><title>Thank you</title><p>Thank you.")


@csrf_exempt
def cart_add(request: HttpRequest) -> HttpResponse:
    """Put more pieces of a product into a signed cookie: one query, no form, no limits."""
    return _rewrite(request, lambda held, quantity: held + quantity)


@csrf_exempt
def cart_change(request: HttpRequest) -> HttpResponse:
    """Set the quantity of a product in a signed cookie."""
    return _rewrite(request, lambda held, quantity: quantity)


@login_required
def saved(request: HttpRequest) -> HttpResponse:
    """Show what an account saved: one SELECT, and a line of HTML for each; no prices, no forms."""
    rows = BareItem.objects.filter(owner=request.user).order_by("pk").values_list("product_ref", "title")
    return HttpResponse(format_html_join("", '<li><a href="/p/{}/">{}</a>', rows))


@login_required
@csrf_exempt
def saved_add(request: HttpRequest) -> HttpResponse:
    """Save a product for an account: one query for whether it is one, one INSERT."""
    ref = request.POST["product_ref"]
    card = Catalog().get_products(refs=[ref]).get(ref)
    if card is None:
        return HttpResponse(status=404)
    BareItem.objects.create(owner=request.user, product_ref=ref, title=card.title)
    return HttpResponseRedirect("/")


def _rewrite(request: HttpRequest, quantity_of: Callable[[int, int], int]) -> HttpResponse:
    ref = request.POST["product_ref"]
    if ref not in Catalog().get_products(refs=[ref]):
        return HttpResponse(status=404)
    text = request.COOKIES.get(COOKIE)
    lines = signing.loads(text, salt=SALT) if text else {}
    lines[ref] = quantity_of(lines.get(ref, 0), int(request.POST["quantity"]))
    response = HttpResponseRedirect("/")
    response.set_cookie(COOKIE, signing.dumps(lines, salt=SALT), httponly=True, samesite="Lax")
    return response
