"""A site with a cart and three pages of its own: plain, failing after a change, and a form for the origin tests."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from wishlists.lines import add
from wishlists.origin import same_origin_post


def plain(request: HttpRequest) -> HttpResponse:
    return render(request, "plain.html")


def failing(request: HttpRequest) -> HttpResponse:
    store = request.lists
    store.save(add(store.cart, product_ref="tea"))
    return HttpResponse(status=500)


@same_origin_post
def guarded(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.method} done")


urlpatterns = [
    path("", include("wishlists.urls")),
    path("plain/", plain),
    path("failing/", failing),
    path("guarded/", guarded),
    path("checkout/", plain, name="checkout"),
]
