"""The blocks of a mail: each says the same as HTML and as text, and nothing where there is nothing to say."""

from __future__ import annotations

import gc
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from wagtail.blocks import StructBlockValidationError
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Page

from tests.test_flows.conftest import make_order
from tests.test_followups.mails import (
    BASE,
    NOW,
    block_of,
    line,
    links_of_html,
    links_of_text,
    make_coupon,
    make_facts,
    render,
    seen,
    stream,
    words,
    words_of_html,
)
from thankyou_flows.mail.placeholders import validate_placeholders
from thankyou_flows.values import Product

# Wagtail leaves the file to the garbage collector in which it makes a rendition.
pytestmark = pytest.mark.filterwarnings("ignore:Unclosed file <tempfile.SpooledTemporaryFile:ResourceWarning")


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en-gb"):
        yield


def one(name: str, value: dict[str, Any], **changes: Any) -> tuple[str, str]:
    """Return one block as HTML and as text."""
    child = stream([(name, value)])[0]
    facts = make_facts(**changes)
    return str(child.render({"facts": facts})).strip(), child.block.render_text(child.value, facts)


COUPON = {"heading": "For you", "how": ""}


@pytest.mark.parametrize(
    ("name", "value", "changes"),
    [
        ("coupon", COUPON, {"coupon": None}),
        ("coupon", COUPON, {"coupon": make_coupon(ends_at=NOW - timedelta(minutes=1))}),
        ("coupon", COUPON, {"coupon": make_coupon(state="revoked")}),
        ("coupon", COUPON, {"coupon": make_coupon(used=1)}),
        ("coupon", COUPON, {"coupon": make_coupon(campaign={"status": "paused"})}),
        ("offer", {"text": "On anything."}, {"coupon": None}),
        ("offer", {"text": "On anything."}, {"coupon": make_coupon(ends_at=None)}),
        ("offer", {"text": "On anything."}, {"coupon": make_coupon(ends_at=NOW)}),
        ("products", {"heading": "Yours", "what": "about", "count": 3}, {"products": (), "order": None}),
        ("products", {"heading": "Yours", "what": "bought", "count": 3}, {"order": None}),
        ("text", {"text": "<p> </p>"}, {}),
    ],
)
def test_a_block_with_nothing_to_say_leaves_no_trace(name: str, value: Any, changes: Any) -> None:
    """CD-5: no empty box, no heading without what it announces, no coupon that the checkout would refuse."""
    assert one(name, value, **changes) == ("", "")


def test_a_coupon_says_what_it_is_worth_its_code_until_when_and_how() -> None:
    html, text = one("coupon", COUPON)
    assert text.split("\n\n") == [
        "For you",
        "10% off",
        "Your code: 7K3M-9Q2X-ABCD",
        "Valid until Thursday, 5 March 2026, 13:00 (CET).\nFrom €20.\nType the code at the checkout.",
    ]
    assert words(text) == words_of_html(html)


def test_an_end_in_a_mail_has_its_date_though_it_is_today() -> None:
    """CD-2: "18:30 today" is not true any more for who opens the mail tomorrow."""
    _html, text = one("offer", {"text": ""}, coupon=make_coupon(ends_at=NOW + timedelta(hours=2)))
    assert text == "Your offer: 10% off until Monday, 2 March 2026, 15:00 (CET)."


def test_a_locked_coupon_leads_to_its_questions_and_keeps_its_code() -> None:
    """CO-9."""
    locked = make_coupon(state="locked", ends_at=None)
    html, text = one("coupon", COUPON, coupon=locked)
    assert "7K3M" not in html + text
    (link,) = links_of_html(html)
    assert link.startswith(f"{BASE}/coupons/unlock/")
    assert links_of_text(text) == {link}
    assert "Once unlocked, it is good for one hour." in text
    mail = render([("text", {"text": "<p>{coupon_code}|{coupon_worth}</p>"})], facts=make_facts(coupon=locked))
    assert "7K3M" not in mail.text
    assert any(secret and secret in link for secret in mail.secrets)


def test_products_are_those_the_mail_is_about_and_the_rest_is_counted() -> None:
    html, text = one("products", {"heading": "Yours", "what": "about", "count": 2})
    assert text == (f"Yours\n\n* Pot 1, €12.50\n  {BASE}/p1/\n* Pot 2, €12.50\n  {BASE}/p2/\n\nAnd 1 more.")
    assert words(text) == words_of_html(html)
    assert [image["src"] for image in seen(html)("img")] == [f"{BASE}/media/p1.jpg", f"{BASE}/media/p2.jpg"]


def test_what_was_bought_has_no_price_that_reads_like_an_offer() -> None:
    order = make_order(lines=(line("Kettle", quantity=2, options="blue", url="/kettle/"), line("Tea")))
    html, text = one("products", {"heading": "", "what": "bought", "count": 3}, order=order)
    assert text == f"* 2 × Kettle, blue\n  {BASE}/kettle/\n* Tea"
    assert "€" not in html


def test_a_product_that_is_sold_out_says_so_and_no_price() -> None:
    gone = Product(ref="x", title="Pot", url="/x/", available=False)
    _html, text = one("products", {"heading": "", "what": "about", "count": 3}, products=(gone,))
    assert text == f"* Pot, sold out at the moment\n  {BASE}/x/"


@pytest.mark.parametrize(
    ("value", "changes", "target"),
    [
        ({"url": "https://other.example/a?b=1&c=2"}, {}, "https://other.example/a?b=1&c=2"),
        ({"url": "/tea/"}, {}, f"{BASE}/tea/"),
        ({"url": "mailto:us@shop.example"}, {}, "mailto:us@shop.example"),
        ({"url": "/c/?code={coupon_code}"}, {}, f"{BASE}/c/?code=7K3M-9Q2X-ABCD"),
        ({"url": ""}, {}, f"{BASE}/list/"),
        ({"url": ""}, {"url": ""}, f"{BASE}/"),
    ],
)
def test_a_button_leads_to_its_address_or_to_what_the_mail_is_about(value: Any, changes: Any, target: str) -> None:
    html, text = one("button", {"text": "Go", "page": None, **value}, **changes)
    assert links_of_html(html) == {target}
    assert text == f"Go:\n{target}"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\nscript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "ftp://shop.example/",
        "https:",
        "mailto:",
        "\\\\evil.example",
        "tea",
        "https://[",
    ],
)
def test_a_button_leads_nowhere_but_to_the_web_and_to_mail(url: str) -> None:
    """EM-8: refused in the form, and left out if it is stored all the same."""
    block = block_of("button")
    with pytest.raises(StructBlockValidationError):
        block.clean(block.to_python({"text": "Go", "page": None, "url": url}))
    html, text = one("button", {"text": "Go", "page": None, "url": url})
    assert (html, text) == ("", "")


def test_a_button_leads_to_a_page_while_it_is_public(db: None) -> None:
    page = Page.objects.get(depth=2)
    html, _text = one("button", {"text": "Go", "page": page.pk, "url": ""})
    assert links_of_html(html) == {f"{BASE}{page.get_url()}"} or links_of_html(html) == {page.get_url()}
    Page.objects.filter(pk=page.pk).update(live=False)
    html, _text = one("button", {"text": "Go", "page": page.pk, "url": ""})
    assert links_of_html(html) == {f"{BASE}/"}


def test_a_button_has_a_page_or_an_address_not_both(db: None) -> None:
    block = block_of("button")
    page = Page.objects.get(depth=2)
    with pytest.raises(StructBlockValidationError) as caught:
        block.clean(block.to_python({"text": "Go", "page": page.pk, "url": "/tea/"}))
    assert "not both" in str(caught.value.block_errors["url"])


@pytest.fixture
def kettle(db: None, settings: Any, tmp_path: Any) -> Any:
    settings.MEDIA_ROOT = str(tmp_path)
    yield get_image_model().objects.create(title="Kettle", file=get_test_image_file(size=(1400, 700)))
    gc.collect()


def picture(image: Any, **changes: Any) -> dict[str, Any]:
    return {"image": {"image": image.pk, "alt_text": "A kettle", "decorative": False, **changes}, "url": "/kettles/"}


def test_a_picture_is_whole_as_wide_as_the_mail_and_says_what_it_shows(kettle: Any) -> None:
    html, text = one("image", picture(kettle))
    image = seen(html).img
    assert image["src"].startswith(f"{BASE}/media/")
    assert (image["width"], image["alt"]) == ("560", "A kettle")
    assert text == f"A kettle <{BASE}/kettles/>"
    assert links_of_html(html) == {f"{BASE}/kettles/"}


def test_a_picture_that_only_decorates_says_nothing_in_the_text(kettle: Any) -> None:
    value = picture(kettle, decorative=True)
    html, text = one("image", {**value, "url": ""})
    assert seen(html).img["alt"] == ""
    assert text == ""


def test_a_picture_whose_file_is_gone_leaves_its_words(kettle: Any, caplog: pytest.LogCaptureFixture) -> None:
    kettle.file.storage.delete(kettle.file.name)
    html, text = one("image", picture(kettle))
    assert seen(html).img is None
    assert words_of_html(html) == words("A kettle")
    assert "could not be made" in caplog.text


def test_a_picture_needs_words_or_is_said_to_decorate(kettle: Any) -> None:
    """AX: nobody can leave it open."""
    block = block_of("image")
    with pytest.raises(StructBlockValidationError):
        block.clean(block.to_python(picture(kettle, alt_text="")))
    assert block.clean(block.to_python(picture(kettle, alt_text="", decorative=True)))


@pytest.mark.parametrize(
    ("text", "is_fine"),
    [
        ("Hello, {first_name}", True),
        ("{order_number} {shop_name} {coupon_code} {coupon_worth} {coupon_until} {title}", True),
        ("A set {} of braces", True),
        ("Hello, {name}", False),
        ("Hello, {First_name}", False),
        ("{{ settings.SECRET_KEY }}", False),
        ("{% load i18n %}", False),
        ("{first_name.__class__}", False),
    ],
)
def test_a_placeholder_that_nobody_fills_in_is_refused_with_the_known_ones(text: str, is_fine: bool) -> None:
    """EM-8."""
    if is_fine:
        validate_placeholders(text)
        return
    with pytest.raises(ValidationError) as caught:
        validate_placeholders(text)
    assert "{first_name}, {order_number}" in str(caught.value.messages[0])


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("text", "text", {"text": "<p>Hello, {name}</p>"}),
        ("button", "text", {"text": "Hello, {name}"}),
        ("coupon", "heading", {"heading": "Hello, {name}"}),
        ("offer", "text", {"text": "Hello, {name}"}),
        ("products", "heading", {"heading": "Hello, {name}", "what": "about", "count": 1}),
    ],
)
def test_every_field_that_is_filled_in_is_checked(name: str, field: str, value: Any) -> None:
    block = block_of(name)
    with pytest.raises(StructBlockValidationError) as caught:
        block.clean(block.to_python(value))
    assert "would not be filled in" in str(caught.value.block_errors[field])


def test_every_block_shows_itself_in_the_list_of_blocks(db: None) -> None:
    """With its own preview value and a sample customer."""
    for name in ("text", "button", "coupon", "offer", "products"):
        block = block_of(name)
        value = block.get_preview_value()
        assert str(block.render(value, block.get_preview_context(value))).strip(), name
