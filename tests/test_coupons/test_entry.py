"""The pages of the entry of codes, and its template tags (CO-6, CO-7, CO-12)."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from coupons import codes
from coupons.models import Campaign, Coupon
from coupons.staging import staged

from .factories import make_campaign, make_coupon
from .small_site import site  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]

HALF = {"benefit": Campaign.Benefit.PERCENT, "percent": Decimal(50)}


def post(client: Client, code: str, **data: str) -> HttpResponse:
    return client.post("/coupons/apply/", {"code": code, **data})


def send(client: Client, method: str, data: Any = None, **more: Any) -> HttpResponse:
    return client.generic(method, "/coupons/api/", data, content_type="application/json", **more)


def staged_in(client: Client) -> list[str]:
    return staged(client.session)


def test_from_the_field_back_to_the_page(client: Client) -> None:
    """Issue 3: a POST, a redirect to where the customer was, and the news there."""
    coupon = make_coupon()
    text = client.get("/cart/").content.decode()
    assert "I have a code" in text
    assert all(part in text for part in ("<summary>", '<label for="ty-coupon-code">', 'autocapitalize="characters"'))
    next_page = re.search(r'name="next" value="([^"]*)"', text)
    assert next_page
    response = post(client, coupon.display_code.lower(), next=next_page[1])
    assert (response.status_code, response["Location"]) == (303, "/cart/")
    assert staged_in(client) == [coupon.code]
    assert "Your coupon is on this order: Free shipping." in client.get("/cart/").content.decode()
    assert "Your coupon" not in client.get("/cart/").content.decode()


@pytest.mark.parametrize(
    ("basket", "news"),
    [("none", "Your coupon is kept for your order."), ("empty", "Your coupon is kept for your order: 50% off.")],
)
def test_a_code_for_later_is_kept(client: Client, basket: str, news: str) -> None:
    """CO-12: whoever has nothing in the basket yet is not told that it is on an order."""
    coupon = make_coupon(**HALF)
    response = client.post("/coupons/apply/", {"code": coupon.code}, headers={"X-Basket": basket}, follow=True)
    text = response.content.decode()
    assert response.redirect_chain == [("/coupons/apply/", 303)]
    assert news in text
    assert coupon.display_code in text


def test_a_word_is_not_shown_as_it_is_stored(client: Client) -> None:
    """CO-8: SPRING10 is stored as SPR1NG10; what it gives says it better."""
    word = Coupon.objects.get(is_word=True, campaign=make_campaign(code_type="word", word="SPRING10", total_limit=9))
    assert client.post("/coupons/apply/", {"code": "Spring 1O"}).status_code == 303
    text = client.get("/coupons/apply/").content.decode()
    assert staged_in(client) == [word.code]
    assert "Free shipping" in text
    assert f">{word.code}<" not in text


@pytest.mark.parametrize("text", ["7K3M-Q0ZT-9XWC", 'x"><script>', "née", "", "A" * 300, "\x00\u202e"])
def test_an_error_stands_beside_the_field_and_nothing_is_lost(client: Client, text: str) -> None:
    """AX-3, CO-5: what was typed is still there; never a 500."""
    response = post(client, text, next="/cart/")
    page = response.content.decode()
    assert response.status_code == 422
    assert 'aria-invalid="true" aria-describedby="ty-coupon-error"' in page
    assert "There seems to be a typing error" in page
    assert "Please check:" in page
    assert "<script>" not in page
    assert 'name="next" value="/cart/"' in page
    field = re.search(r'id="ty-coupon-code"[^>]*?value="([^"]*)"', page, re.DOTALL)
    assert field
    assert unescape(field[1]) == text[:100]
    assert not Session.objects.exists()
    assert "sessionid" not in response.cookies


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/" + "a" * 3000])
def test_next_stays_on_this_site(client: Client, to: str) -> None:
    """CM-3."""
    coupon = make_coupon()
    assert post(client, coupon.code, next=to)["Location"] == "/coupons/apply/"
    assert client.post("/coupons/remove/", {"code": coupon.code, "next": to})["Location"] == "/coupons/apply/"
    assert to not in client.get("/coupons/apply/", {"next": to}).content.decode()
    assert to not in post(client, codes.generate(), next=to).content.decode()


def test_without_djangos_messages_the_page_says_it(client: Client, site: Any) -> None:  # noqa: F811
    """A shop need not have django.contrib.messages in its middleware."""
    site.MIDDLEWARE = [path for path in site.MIDDLEWARE if "messages" not in path]
    coupon = make_coupon()
    response = post(client, coupon.code, next="/cart/")
    assert response.status_code == 200
    assert "Your coupon is on this order: Free shipping." in response.content.decode()
    assert 'href="/cart/"' in response.content.decode()
    assert staged_in(client) == [coupon.code]


def test_a_coupon_can_be_removed(client: Client) -> None:
    coupon = make_coupon()
    post(client, coupon.code)
    assert f'value="{coupon.code}"' in client.get("/coupons/apply/").content.decode()
    response = client.post("/coupons/remove/", {"code": coupon.code, "next": "/cart/"})
    assert (response.status_code, response["Location"], staged_in(client)) == (303, "/cart/", [])
    assert "was taken off" in client.get("/cart/").content.decode()
    assert client.post("/coupons/remove/", {"code": "née"}).status_code == 303


def test_the_page_says_why_a_kept_coupon_does_not_fit(client: Client) -> None:
    """CO-6: in this session it was accepted."""
    coupon = make_coupon()
    post(client, coupon.code)
    Coupon.objects.update(used=1)
    assert "This coupon has already been used." in client.get("/coupons/apply/").content.decode()


def test_too_many_tries(client: Client) -> None:
    """CO-7: form and JSON share the limit; a right code gets the same answer."""
    right = make_coupon().code
    post(client, make_coupon().code)
    assert [post(client, codes.generate()).status_code for _n in range(3)] == [422] * 3
    assert [send(client, "POST", f'{{"code": "{codes.generate()}"}}').status_code for _n in range(2)] == [422] * 2
    for text in (right, codes.generate(), "née"):
        response = post(client, text)
        assert (response.status_code, response["Retry-After"]) == (429, "60")
        assert "Please wait a few minutes" in response.content.decode()
        response = send(client, "POST", f'{{"code": "{text}"}}')
        assert (response.status_code, response["Retry-After"]) == (429, "60")
        assert response.json()["code"] == "too_many_tries"
    assert right not in staged_in(client)


def test_the_address_is_limited_behind_proxies_of_ours(client: Client, site: Any) -> None:  # noqa: F811
    """CO-7: ``TRUSTED_PROXIES``; without it, what somebody writes into the header is nobody's address."""
    site.THANKYOU_COUPONS = {**site.THANKYOU_COUPONS, "GUESS_LIMITS_IP": ["2/minute"]}

    def status(address: str) -> int:
        data = {"code": codes.generate()}
        return Client().post("/coupons/apply/", data, headers={"X-Forwarded-For": address}).status_code

    assert [status(f"192.0.2.{n}") for n in range(3)] == [422, 422, 429]
    site.THANKYOU_COUPONS = {**site.THANKYOU_COUPONS, "TRUSTED_PROXIES": 1}
    assert [status(f"192.0.2.{n}") for n in range(3)] == [422, 422, 422]
    assert [status("192.0.2.9") for _n in range(3)] == [422, 422, 429]


def test_the_challenge_of_the_shop(client: Client, site: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """CO-7: while the alarm is on the shop's callable is asked; otherwise it is left alone."""
    challenge = "tests.test_coupons.small_site.is_person"
    site.THANKYOU_COUPONS = {**site.THANKYOU_COUPONS, "CHALLENGE": challenge, "GUESS_ALARM_PER_MINUTE": 1}
    right = make_coupon().code
    assert [post(client, codes.generate()).status_code for _n in range(2)] == [422, 422]
    response = post(client, right)
    assert response.status_code == 429
    assert "show that you are a person" in response.content.decode()
    assert send(client, "POST", f'{{"code": "{right}"}}').json()["code"] == "challenge_needed"
    response = client.post("/coupons/apply/", {"code": right}, headers={"X-Person": "yes"})
    assert (response.status_code, staged_in(client)) == (303, [right])


# Whose request it is -------------------------------------------------------------------------------


def test_posts_need_djangos_token(site: Any) -> None:  # noqa: F811
    """Also where the site's own CSRF middleware is missing; and a refusal is kept by no cache, either."""
    site.MIDDLEWARE = [path for path in site.MIDDLEWARE if "csrf" not in path]
    coupon = make_coupon()
    client = Client(enforce_csrf_checks=True)
    for response in (
        post(client, coupon.code),
        client.post("/coupons/remove/", {"code": coupon.code}),
        send(client, "POST", f'{{"code": "{coupon.code}"}}'),
        send(client, "DELETE", f'{{"code": "{coupon.code}"}}'),
    ):
        assert response.status_code == 403
        assert "no-store" in response["Cache-Control"]
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', client.get("/coupons/apply/").content.decode())
    assert token
    assert post(client, coupon.code, csrfmiddlewaretoken=token[1]).status_code == 303
    response = send(client, "DELETE", f'{{"code": "{coupon.code}"}}', headers={"X-CSRFToken": token[1]})
    assert (response.status_code, staged_in(client)) == (200, [])


@pytest.mark.parametrize("path", ["/coupons/apply/", "/coupons/api/"])
def test_nothing_is_cached(client: Client, path: str) -> None:
    """CO-6: answers are of one visitor."""
    for response in (client.get(path), client.post(path, {"code": "née"})):
        assert "no-store" in response["Cache-Control"]
        assert "private" in response["Cache-Control"]
        assert "Cookie" in response["Vary"]


def test_the_pages_stay_open_where_everything_needs_a_login(client: Client, site: Any) -> None:  # noqa: F811
    """Guests buy, too."""
    site.MIDDLEWARE = [*site.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    assert client.get("/coupons/apply/").status_code == 200
    assert send(client, "GET").status_code == 200
    assert client.post("/coupons/remove/", {"code": "x"}).status_code == 303


# Links (CO-12) -------------------------------------------------------------------------------------


def test_a_link_shows_its_code_and_does_nothing(client: Client) -> None:
    """CO-12: no query, no session, no cookie, nothing that a cache would mind."""
    code = codes.display(codes.generate())
    with CaptureQueriesContext(connection) as queries:
        response = client.get("/landing/", {"coupon": code.lower(), "color": "red & blue"})
    text = response.content.decode()
    assert len(queries) == 0
    assert "You bring the code" in text
    assert f"{code}</strong>" in text
    assert not response.cookies
    assert "Vary" not in response
    assert "Cache-Control" not in response
    address = re.search(r'href="([^"]+)" rel="nofollow"', text)
    assert address
    # The page of the link has the code in its field, and leads back to where the customer was.
    page = client.get(unescape(address[1])).content.decode()
    assert f'value="{code.lower()}"' in page
    assert 'name="next" value="/landing/?color=red+%26+blue"' in page
    assert "once you press the button" in page
    assert staged_in(client) == []


@pytest.mark.parametrize("text", ["", "x", "née", "<b>free money</b>", "call 0900 123 456 now", "A" * 300])
def test_a_link_cannot_write_on_the_page(client: Client, text: str) -> None:
    """What cannot be a code is not repeated."""
    assert "You bring" not in client.get("/landing/", {"coupon": text}).content.decode()
    assert "You bring" not in client.get("/landing/").content.decode()


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(client: Client, method: str) -> None:
    """CO-12: every GET and HEAD of these addresses, also with codes in them, writes no row and no session.

    ``unlock_link`` is left out: it trades a token for a right in the session, so that the token leaves the address;
    the coupon itself is as it was.
    """
    from coupons.urls import urlpatterns

    coupon = make_coupon()
    arguments = {"coupon": [coupon.pk]}
    query = dict.fromkeys(("coupon", "code", "apply", "remove"), coupon.code)

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        assert sql.lstrip("( ").upper().startswith(("SELECT", "EXPLAIN")), sql
        return execute(sql, params, many, context)

    from django.urls import reverse

    looked = set()
    for pattern in urlpatterns:
        if pattern.name == "unlock_link":
            continue
        path = reverse(f"thankyou_coupons:{pattern.name}", args=arguments.get(pattern.name, []))
        with connection.execute_wrapper(refuse):
            response = getattr(client, method)(path, query)
        assert response.status_code < 500
        assert "sessionid" not in response.cookies
        looked.add(pattern.name)
    assert {"apply", "remove", "api"} <= looked
    assert not Session.objects.exists()


def test_the_write_guard_can_fail(client: Client) -> None:
    """CO-12: the session of a right code is a write."""
    written = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        written.append(sql.split()[0])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        post(client, make_coupon().code)
    assert "INSERT" in written
