"""The small site with doors: views that log in, open an account, rotate the session, save meanwhile, and log out."""

from __future__ import annotations

from django.contrib.auth import login, logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import include, path

from wishlists.asking import merge_url
from wishlists.catalog import get_catalog
from wishlists.kinds import CART, SAVED
from wishlists.lines import add
from wishlists.origin import same_origin_post
from wishlists.shelf import lists_of

BACKEND = "django.contrib.auth.backends.ModelBackend"


def _go_on(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(merge_url(request, next=request.POST.get("next", "")) or "/plain/")


@same_origin_post
def enter(request: HttpRequest) -> HttpResponse:
    """Log in, without a password."""
    login(request, User.objects.get(username=request.POST["username"]), backend=BACKEND)
    return _go_on(request)


@same_origin_post
def join(request: HttpRequest) -> HttpResponse:
    """Open an account, and be logged in."""
    user = User.objects.create_user(request.POST["username"])
    login(request, user, backend=BACKEND)
    return _go_on(request)


@same_origin_post
def rotate(request: HttpRequest) -> HttpResponse:
    """Give the session another key, as sites do from time to time."""
    request.session.cycle_key()
    return _go_on(request)


@same_origin_post
def enter_and_save(request: HttpRequest) -> HttpResponse:
    """Look at the cart as a guest, log in, and save something: all in one request."""
    shelf = lists_of(request)
    guest = len(shelf.cart)
    login(request, User.objects.get(username=request.POST["username"]), backend=BACKEND)
    cards = get_catalog().get_products(refs=["tea"])
    for kind in (CART, SAVED):
        shelf.save(add(shelf.get(kind), product_ref="tea"), cards=cards)
    return HttpResponse(f"{guest} as a guest")


@same_origin_post
def leave(request: HttpRequest) -> HttpResponse:
    """Log out."""
    logout(request)
    return HttpResponseRedirect("/plain/")


@same_origin_post
def leave_and_save(request: HttpRequest) -> HttpResponse:
    """Look at the account's cart, log out, and put something into the cart: all in one request."""
    shelf = lists_of(request)
    account = len(shelf.cart)
    logout(request)
    shelf.save(add(shelf.cart, product_ref="free"))
    return HttpResponse(f"{account} in the account")


urlpatterns = [
    path("", include("tests.test_wishlists.urls")),
    path("accounts/login/", enter),
    path("enter/", enter),
    path("join/", join),
    path("rotate/", rotate),
    path("enter-and-save/", enter_and_save),
    path("leave/", leave),
    path("leave-and-save/", leave_and_save),
]
