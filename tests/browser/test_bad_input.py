"""What people mistype, and what no person would send: nothing is lost, nothing breaks."""

from __future__ import annotations

import http.client
import random
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from .journey import Shopper
from .watching import Watch

COOKIES = ("cart", "cart_note", "sessionid", "csrftoken", "messages")
PAGES = ("/", "/tea/earl-grey/", "/cart/", "/lists/state/", "/thanks/", "/account/login/")
STRANGE = [
    b"",
    b"=",
    b'"',
    b"\xff\xfe\x00".replace(b"\x00", b"\x01"),
    b"\xc3\x28",
    b"%00%ff",
    b"{}",
    b"a:b:c",
    b"." * 3000,
]


def test_mistakes_at_the_checkout_lose_nothing(either: Shopper, watch: Watch) -> None:
    """AX-3: each mistake is said beside its field and in the summary above, which leads there; the rest stays."""
    watch.allow("status of 422")
    page = either.page
    either.quick_take()
    either.go_to_checkout()
    either.fill_in(e_mail="ada.example.com", full_name="")
    either.choose("Express")
    either.place()
    summary = page.locator("#errors")
    expect(summary.get_by_role("heading")).to_have_text("2 things need another look")
    expect(page).to_have_title("Please check: Checkout – Kettle & Fern")
    if either.has_script:
        expect(summary).to_be_focused()
    for name, text in {"E-mail": "ada.example.com", "Street and number": "Rosenweg 1", "Postcode": "10115"}.items():
        expect(page.get_by_label(name, exact=True)).to_have_value(text)
    expect(page.get_by_role("radio", name="Express")).to_be_checked()
    for label in ("E-mail", "Full name"):
        wrong = page.get_by_label(label, exact=True)
        expect(wrong).to_have_attribute("aria-invalid", "true")
        told = wrong.get_attribute("aria-describedby") or ""
        assert any(page.locator(f"#{each}.errorlist").count() for each in told.split()), f"{label} names no reason."
    summary.get_by_role("link", name="who the parcel is for").click()
    expect(page.get_by_label("Full name", exact=True)).to_be_focused()
    page.keyboard.type("Ada Lovelace")
    either.hands.write(page.get_by_label("E-mail", exact=True), either.email)
    either.place()
    assert str(either.pay().shipping.amount) == "9.90"


@pytest.mark.parametrize(
    "code",
    ["SUMMER10", "0000-0000-0000", "<script>alert(1)</script>", "é" * 40],
    ids=["word", "unknown", "markup", "long"],
)
def test_a_wrong_code_is_refused_kindly(shopper: Shopper, watch: Watch, code: str) -> None:
    """CO-6: one refusal beside the field; what was typed stays, and the order goes on without it."""
    watch.allow("status of 422")
    page = shopper.page
    shopper.quick_take()
    shopper.go_to_checkout()
    shopper.fill_in()
    page.get_by_label("I have a code").fill(code)
    shopper.push("Use it")
    expect(page.locator("#code-news")).to_be_visible()
    expect(page.get_by_label("I have a code")).to_have_value(code)
    expect(page.get_by_label("I have a code")).to_be_focused()
    expect(page.get_by_label("Full name")).to_have_value("Ada Lovelace")


def test_strange_cookies_are_dropped(shopper: Shopper, shop_url: str) -> None:
    """CK-3: a browser full of rubbish sees an empty cart, and can shop."""
    cookies = [{"name": name, "value": "eyJ9:x:y|\\é%FF{}", "url": shop_url} for name in COOKIES]
    shopper.page.context.add_cookies(cookies)
    shopper.open("/cart/")
    expect(shopper.page.get_by_text("Your cart is empty")).to_be_visible()
    assert shopper.quick_order().state == "paid"


def test_any_bytes_in_any_cookie(shop_url: str) -> None:
    """CK-3: what no browser lets through, sent by hand. Always 200, and the cart's cookie is taken back."""
    bytes_of = random.Random(2)
    values = [*STRANGE, *(bytes_of.randbytes(40).translate(None, b"\r\n\x00;") for _round in range(6))]
    connection = http.client.HTTPConnection(urlsplit(shop_url).netloc, timeout=30)
    for value in values:
        for path in PAGES:
            header = b"; ".join(name.encode() + b"=" + value for name in COOKIES)
            connection.putrequest("GET", path)
            connection.putheader("Cookie", header)
            connection.endheaders()
            response = connection.getresponse()
            response.read()
            assert response.status == 200, (path, value)
            if path == "/cart/" and value:
                assert any(text.startswith("cart=") for text in response.headers.get_all("Set-Cookie") or []), value
    connection.close()
