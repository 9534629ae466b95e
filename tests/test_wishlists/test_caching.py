"""A plain page with badge, heart and note is as cacheable as without us (CK-7)."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client

from wishlists.kinds import SAVED
from wishlists.lines import Line
from wishlists.shelf import lists_of

from .conftest import MIDDLEWARE, put

CACHE = "django.middleware.cache"
OURS = "wishlists.middleware.ListsMiddleware"
PARTS = ("ty-list-prompt", "ty-list-count", 'action="/saved/add/"', 'action="/cart/add/"', 'action="/compare/change/"')


@pytest.fixture
def cached(site: Any, request: pytest.FixtureRequest) -> Any:
    """A real page cache around the site."""
    site.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": request.node.name}
    }
    site.CACHE_MIDDLEWARE_SECONDS = 600
    site.MIDDLEWARE = [f"{CACHE}.UpdateCacheMiddleware", *MIDDLEWARE, f"{CACHE}.FetchFromCacheMiddleware"]
    return site


def headers(response: Any) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name not in ("Date", "Expires")}


def full(client: Client) -> Client:
    """A browser with something in every cookie."""
    put(client, Line("tea", 2), keep=True, left=[Line("pot", 1)])
    put(client, Line("cup", 1), kind=SAVED)
    return client


def test_the_page_has_all_of_it():
    page = Client().get("/plain/").content.decode()
    for part in PARTS:
        assert part in page
    assert "csrfmiddlewaretoken" not in page


@pytest.mark.parametrize("visitor", ["nobody", "somebody with lists"])
def test_the_headers_are_the_same_with_and_without_us(site: Any, visitor: str):
    """DONE 5: Vary, Set-Cookie, Cache-Control, and the body to the byte."""
    client = Client() if visitor == "nobody" else full(Client())
    with_us = client.get("/plain/")
    site.MIDDLEWARE = [name for name in MIDDLEWARE if name != OURS]
    without = Client().get("/plain/")
    assert headers(with_us) == headers(without)
    for name in ("Vary", "Set-Cookie", "Cache-Control"):
        assert name not in with_us.headers
    assert not with_us.cookies
    assert with_us.content == without.content


@pytest.mark.django_db
def test_also_for_whoever_is_logged_in(member: Client, site: Any, django_assert_num_queries: Any):
    """Neither the session nor the account is asked."""
    with django_assert_num_queries(0):
        with_us = full(member).get("/plain/")
    assert "Vary" not in with_us.headers
    assert with_us.content == Client().get("/plain/").content


def test_the_second_request_is_a_hit(cached: Any, monkeypatch: pytest.MonkeyPatch):
    """DONE 5: whoever asks first, and whoever asks second."""
    first = full(Client()).get("/plain/")
    monkeypatch.setattr("tests.test_wishlists.urls.render", None)
    for client in (Client(), full(Client())):
        second = client.get("/plain/")
        assert second.status_code == 200
        assert second.content == first.content
        assert not second.cookies
    monkeypatch.undo()


@pytest.mark.teeth
def test_a_page_that_is_not_cached_would_be_noticed(cached: Any, monkeypatch: pytest.MonkeyPatch):
    """The hit above has teeth: had the page read a list, the second request would have come to the view."""

    def reads_a_list(request: HttpRequest, _template: str) -> HttpResponse:
        return HttpResponse(str(lists_of(request).cart.count))

    monkeypatch.setattr("tests.test_wishlists.urls.render", reads_a_list)
    response = full(Client()).get("/plain/")
    assert "no-store" in response.headers["Cache-Control"]
    monkeypatch.setattr("tests.test_wishlists.urls.render", None)
    with pytest.raises(TypeError):
        full(Client()).get("/plain/")


@pytest.mark.parametrize("url", ["/cart/", "/saved/", "/lists/state/", "/lists/device/", "/lists/left/", "/lists/api/"])
def test_what_is_somebodys_own_is_never_kept(cached: Any, url: str):
    """CK-7: the small request and the pages of the lists, in the same cache."""
    mine = full(Client()).get(url)
    other = Client().get(url)
    assert mine.status_code == other.status_code == 200
    assert mine.content != other.content
    assert "no-store" in mine.headers["Cache-Control"]


@pytest.mark.django_db
def test_the_state_of_an_account_is_never_somebody_elses(cached: Any, member: Client, customer: User):
    member.post("/saved/add/", {"product_ref": "tea"})
    assert member.get("/lists/state/").json()["counts"]["saved"] == 1
    assert Client().get("/lists/state/").json()["counts"]["saved"] == 0


@pytest.mark.skipif(importlib.util.find_spec("wagtailcache") is None, reason="wagtail-cache is not installed")
@pytest.mark.django_db
def test_wagtail_cache_keeps_the_page_and_not_the_lists(site: Any, monkeypatch: pytest.MonkeyPatch):
    """DONE 5: the page cache that Wagtail sites use."""
    cache = "wagtailcache.cache"
    site.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "wagtailcache"}}
    site.WAGTAIL_CACHE = True
    site.MIDDLEWARE = [f"{cache}.UpdateCacheMiddleware", *MIDDLEWARE, f"{cache}.FetchFromCacheMiddleware"]
    assert full(Client()).get("/plain/").status_code == 200
    assert Client().get("/plain/").headers["X-Wagtail-Cache"] == "hit"
    visitor = full(Client())
    for _time in range(2):
        # It cuts our cookies off the request before the view, so they have been read before.
        assert visitor.get("/lists/state/").json()["counts"]["cart"] == 2
        assert Client().get("/lists/state/").json()["counts"]["cart"] == 0
    visitor.post("/cart/add/", {"product_ref": "tea"})
    page = visitor.get("/cart/").content
    assert b"Added: Sencha" in page
    assert b"Sencha" not in Client().get("/cart/").content
