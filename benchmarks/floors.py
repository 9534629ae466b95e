"""The floors: views that do the least with which the job can be done at all, behind the same middleware."""

from __future__ import annotations

from collections.abc import Callable

from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.csrf import csrf_exempt

from .catalog import Catalog

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
