"""Posts from other sites do not pass; our own pass without a token, so that their pages can be cached."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

OWN = "http://testserver"


@pytest.fixture
def browser(site: Any) -> Client:
    site.CSRF_TRUSTED_ORIGINS = ["https://trusted.example", "https://*.sisters.example"]
    return Client(enforce_csrf_checks=True)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        # The browser says where it comes from; then nothing else counts.
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "https://behind-a-proxy.example"}, 200),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"sec-fetch-site": ""}, 403),
        ({"sec-fetch-site": "Same-Origin"}, 403),
        ({"sec-fetch-site": "same-origin, cross-site"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": OWN}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "https://trusted.example"}, 403),
        # It does not say: the origin has to be ours or trusted.
        ({"origin": OWN}, 200),
        ({"origin": "https://trusted.example"}, 200),
        ({"origin": "https://a.sisters.example"}, 200),
        ({"origin": "http://a.sisters.example"}, 403),
        ({"origin": "https://sisters.example.evil.example"}, 403),
        ({"origin": "http://trusted.example"}, 403),
        ({"origin": "https://testserver"}, 403),
        ({"origin": "http://testserver:8000"}, 403),
        ({"origin": "http://testserver.evil.example"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "http://[bad"}, 403),
        # It says nothing at all; a referrer proves nothing.
        ({}, 403),
        ({"referer": f"{OWN}/plain/"}, 403),
    ],
)
def test_who_passes_without_a_token(browser: Client, headers: dict[str, str], status: int):
    assert browser.post("/guarded/", headers=headers).status_code == status


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "none"}, {"sec-fetch-site": "same-site", "origin": OWN}])
def test_who_does_not_pass_may_bring_djangos_token(browser: Client, headers: dict[str, str]):
    token = "t" * 32
    browser.cookies["csrftoken"] = token
    assert browser.post("/guarded/", {"csrfmiddlewaretoken": token}, headers=headers).status_code == 200
    assert browser.post("/guarded/", {"csrfmiddlewaretoken": "u" * 32}, headers=headers).status_code == 403


def test_a_token_does_not_help_a_foreign_origin(browser: Client):
    """Django's own check looks at the origin too."""
    token = "t" * 32
    browser.cookies["csrftoken"] = token
    headers = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert browser.post("/guarded/", {"csrfmiddlewaretoken": token}, headers=headers).status_code == 403


def test_only_what_changes_something_is_asked(browser: Client):
    for method in (browser.get, browser.head, browser.options):
        assert method("/guarded/", headers={"sec-fetch-site": "cross-site"}).status_code == 200
    for method in (browser.put, browser.patch, browser.delete):
        assert method("/guarded/", headers={"sec-fetch-site": "cross-site"}).status_code == 403
        assert method("/guarded/", headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_djangos_test_client_passes_as_usual(client: Client):
    assert client.post("/guarded/").status_code == 200


def test_it_does_not_depend_on_the_sites_middleware(browser: Client, site: Any):
    site.MIDDLEWARE = [name for name in site.MIDDLEWARE if "csrf" not in name]
    assert browser.post("/guarded/", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert browser.post("/guarded/", headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_the_answer_sets_no_cookie_and_touches_no_session(browser: Client):
    """CK-7."""
    response = browser.post("/guarded/", headers={"sec-fetch-site": "same-origin"})
    assert not response.cookies
    assert "Vary" not in response.headers
    assert not response.wsgi_request.session.accessed


@pytest.mark.parametrize("url", ["/cart/add/", "/cart/change/"])
def test_the_carts_own_posts_are_protected(browser: Client, url: str):
    data = {"product_ref": "tea", "quantity": "1"}
    assert browser.post(url, data).status_code == 403
    assert browser.post(url, data, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert browser.post(url, data, headers={"sec-fetch-site": "same-origin"}).status_code == 303
