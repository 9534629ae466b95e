"""A whole mail: the same in HTML and in text, safe whatever goes in, and readable where styles and pictures are not."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.core.exceptions import ValidationError
from django.template import Context, Template
from django.template.loader import render_to_string
from django.utils import translation
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.test_flows.conftest import make_order
from tests.test_followups.mails import (
    BASE,
    BODY,
    links_of_html,
    links_of_text,
    make_coupon,
    make_facts,
    render,
    seen,
    words,
    words_of_html,
)
from thankyou_flows.mail.placeholders import clean_value, fill_html
from thankyou_flows.mail.samples import SAMPLES, sample_facts
from thankyou_flows.mail.writing import WIDTH, html_to_text, validate_address, wrap
from thankyou_flows.values import Product


@pytest.fixture(autouse=True)
def the_shop(settings: Any) -> Any:
    settings.THANKYOU_FLOWS = {
        "STORE": "thankyou_flows.stores.dummy.DummyStore",
        "BASE_URL": BASE,
        "MAIL_FOOTER": "The Tea Shop Ltd\n1 Main Street, Ljubljana",
    }
    with translation.override("en-gb"):
        yield


BODIES = [BODY, *[[child] for child in BODY], list(reversed(BODY))]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: "-".join(name for name, _value in body))
@pytest.mark.parametrize("kind", ["follow_up", "newsletter", "transactional"])
def test_text_and_html_say_the_same(body: Any, kind: str) -> None:
    """Every word, link and code of one is in the other, as often."""
    mail = render(body, kind=kind)
    assert words(mail.text) == words_of_html(mail.html)
    assert links_of_text(mail.text) == links_of_html(mail.html)


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(BODY),
    count=st.integers(0, len(BODY)),
    name=st.text(alphabet="abcÄß é&<>\"'", max_size=20),
    has_coupon=st.booleans(),
)
def test_text_and_html_say_the_same_whatever_is_in_them(order: Any, count: int, name: str, has_coupon: bool) -> None:
    facts = make_facts(first_name=name, title=name, coupon=make_coupon() if has_coupon else None)
    mail = render(order[:count], facts=facts)
    assert links_of_text(mail.text) == links_of_html(mail.html)
    if "<" not in name and ">" not in name:
        assert words(mail.text) == words_of_html(mail.html)


#: What somebody may have as a name, or write as the name of a list.
ATTACKS = [
    "Ana\r\nBcc: victim@example.com",
    "Ana\nSubject: other",
    "Ana\0\x1b[2J\x7f",
    "Ana\u2028Bcc: x@example.com\u2029",
    "{{ settings.SECRET_KEY }}",
    "{% load i18n %}{% debug %}",
    "{% endinline_styles %}",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><a href="https://evil.example">click',
    "</style><b>",
    "javascript:alert(1)",
    "{order_number}",
    "{coupon_code}{first_name}",
    "\u202egnp.exe",
]


@pytest.mark.parametrize("attack", ATTACKS, ids=ascii)
def test_what_customers_write_stays_text(attack: str, settings: Any) -> None:
    """EM-8: one line in headers, escaped in HTML, never evaluated, never filled in again."""
    facts = make_facts(
        first_name=attack,
        title=attack,
        shop_name=attack,
        order=make_order(number=attack),
        products=(Product(ref="x", title=attack, url=attack, image_url=attack),),
        url=attack,
    )
    body = [
        ("text", {"text": '<p>{first_name}, <a href="{title}">{title}</a> <a href="/x?n={title}">x</a></p>'}),
        *BODY,
        ("button", {"text": "{title}", "page": None, "url": "{title}"}),
        ("button", {"text": "{title}", "page": None, "url": "/x/?name={title}"}),
    ]
    mail = render(body, facts=facts, subject="{first_name} {title} {order_number}", preheader="{first_name}")
    shown = clean_value(attack)

    assert mail.subject == f"{shown} {shown} {shown}"
    assert not re.search(r"[\x00-\x1f\x7f\u2028\u2029\u202e]", mail.subject)
    assert settings.SECRET_KEY not in mail.html + mail.text
    soup = BeautifulSoup(mail.html, "html.parser")
    assert not soup(["script", "iframe", "object", "form"])
    assert not [tag for tag in soup(True) for name in tag.attrs if name.startswith("on")]
    assert all(re.match(r"https://|mailto:", link) for link in links_of_html(mail.html))
    assert not [link for link in links_of_html(mail.html) if link.startswith("https://evil")]
    assert not re.search(r"[\x00\x1b\x7f\u202e]", mail.text + mail.html)
    assert "\r" not in mail.text
    assert " ".join(shown.split()) in " ".join(soup.get_text(" ").split())
    assert " ".join(shown.split()) in " ".join(mail.text.split())


def test_what_is_filled_in_is_not_filled_in_again() -> None:
    """EM-8."""
    facts = make_facts(first_name="{title}", title="{first_name}")
    assert fill_html('<p title="{title}">{first_name} {title}</p>', facts) == (
        '<p title="%7Bfirst_name%7D">{title} {first_name}</p>'
    )


def test_a_stored_link_that_leads_elsewhere_than_to_the_web_is_a_link_no_more() -> None:
    mail = render([("text", {"text": '<p><a href="javascript:alert(1)">Tea</a> <script>x</script></p>'})])
    assert "javascript" not in mail.html + mail.text
    assert "Tea" in mail.text
    assert "<script" not in mail.html


def test_nothing_is_loaded_but_pictures_of_the_shop() -> None:
    """No font, no style sheet, no pixel: nobody learns from us that a mail was opened."""
    soup = BeautifulSoup(render().html, "html.parser")
    assert not soup(["link", "script", "iframe", "video", "object"])
    assert {image["src"].split("/media/")[0] for image in soup("img")} == {BASE}
    assert "url(" not in render().html
    assert "@import" not in render().html


def test_the_styles_stand_in_the_lines_and_the_dark_ones_in_the_head() -> None:
    """Mail programs that drop the head show the mail as it should be."""
    mail = render()
    soup = BeautifulSoup(mail.html, "html.parser")
    (style,) = soup("style")
    assert "prefers-color-scheme: dark" in style.string
    assert soup.find("meta", attrs={"name": "color-scheme"})["content"] == "light dark"
    for tag in soup.body(True):
        if tag.get("class") and tag.name != "tbody":
            assert tag.get("style"), tag
    # What has a colour in the dark has one in its line.
    for name in set(re.findall(r"\.([a-z-]+)(?=[ ,{])", style.string)):
        for tag in soup.select(f".{name}"):
            assert tag.get("style"), name


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_text_has_contrast_on_its_ground() -> None:
    """AX: 4.5:1, with nothing but what stands in the lines."""
    for tag in BeautifulSoup(render().html, "html.parser").body.find_all(["p", "a", "h1", "h2", "span", "li"]):
        style = _nearest(tag, r"(?<![-\w])color:\s*(#[0-9a-f]{6})")
        ground = _nearest(tag, r"background:\s*(#[0-9a-f]{6})")
        light, dark = sorted((_luminance(style), _luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, tag


def _nearest(tag: Any, pattern: str) -> str:
    for each in (tag, *tag.parents):
        found = re.search(pattern, str(each.get("style") or ""))
        if found:
            return found[1]
    raise AssertionError(f"nothing says the colour of {tag}")


def test_a_mail_has_a_language_and_a_direction() -> None:
    with translation.override("ar"):
        root = BeautifulSoup(render().html, "html.parser").html
    assert (root["lang"], root["dir"]) == ("ar", "rtl")
    root = BeautifulSoup(render().html, "html.parser").html
    assert (root["lang"], root["dir"]) == ("en-gb", "ltr")
    assert seen(render().html).find("span", dir="ltr").text == "7K3M-9Q2X-ABCD"


def test_the_line_after_the_subject_is_hidden_in_the_mail() -> None:
    mail = render(preheader="Three tips, {first_name}")
    hidden = BeautifulSoup(mail.html, "html.parser").select_one(".preheader")
    assert hidden.text == "Three tips, Ana"
    assert "display: none" in hidden["style"]
    assert "Three tips" not in render().html
    assert ".preheader" not in str(BeautifulSoup(render().html, "html.parser").body)


@pytest.mark.parametrize(
    ("kind", "ground", "list_title", "changes", "sentence"),
    [
        ("follow_up", "soft_opt_in", "", {}, "because you ordered at The Tea Shop"),
        ("follow_up", "", "", {}, "because you ordered at The Tea Shop"),
        ("follow_up", "consent", "", {}, "because you signed up for mails from The Tea Shop"),
        ("follow_up", "", "", {"order": None}, "because you signed up for mails from The Tea Shop"),
        ("newsletter", "consent", "Tea letter", {}, "because you signed up for “Tea letter” at The Tea Shop"),
        ("newsletter", "", "Tea letter", {}, "because you signed up for “Tea letter” at The Tea Shop"),
    ],
)
def test_advertising_says_why_it_came_who_writes_and_how_to_stop_it(
    kind: str, ground: str, list_title: str, changes: Any, sentence: str
) -> None:
    """EM-5, EM-11."""
    mail = render(facts=make_facts(**changes), kind=kind, ground=ground, list_title=list_title)
    assert f"You get this {sentence}" in " ".join(mail.text.split())
    assert "\nhttps://shop.example/mail/unsubscribe/unsubscribetoken/\n" in mail.text
    assert "1 Main Street, Ljubljana" in mail.text
    assert f"{BASE}/mail/preferences/preferencestoken/" in links_of_html(mail.html)
    assert set(mail.secrets) == {"unsubscribetoken", "preferencestoken"}


def test_advertising_without_a_way_out_is_not_written() -> None:
    """EM-5."""
    with pytest.raises(ValueError, match="unsubscribe"):
        render(facts=make_facts(unsubscribe_url=""))


def test_a_transactional_mail_names_its_order_and_offers_no_list_to_leave() -> None:
    mail = render(kind="transactional", facts=make_facts(unsubscribe_url="", preferences_url=""))
    assert "You get this because of your order T-1001 at The Tea Shop." in " ".join(mail.text.split())
    assert "Unsubscribe" not in mail.text
    facts = make_facts(order=None, unsubscribe_url="", preferences_url="")
    assert "answers what you asked" in " ".join(render(kind="transactional", facts=facts).text.split())


def test_text_is_wrapped_between_words_and_never_within_an_address() -> None:
    address = f"{BASE}/{'a-long-path/' * 12}"
    text = wrap(f"* {'word ' * 40}\n{address}")
    assert all(len(each) <= WIDTH or each == address for each in text.split("\n"))
    assert text.split("\n")[1].startswith("  word")
    assert address in text.split("\n")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two<br>three</p>", "One\n\nTwo\nthree"),
        ("<ul><li>A</li><li>B <b>c</b></li></ul>", "* A\n* B c"),
        ("<ol><li>A</li><li>B<ul><li>C</li></ul></li></ol>", "1. A\n2. B\n  * C"),
        ('<p>See <a href="https://a.example/">here</a>.</p>', "See here <https://a.example/>."),
        ('<a href="https://a.example/">https://a.example/</a>', "https://a.example/"),
        ('<a href="mailto:us@a.example">us@a.example</a>', "us@a.example"),
        ('<p style="display: none">No</p><!-- no --><style>no</style><p>Yes &amp; no</p>', "Yes & no"),
    ],
)
def test_html_is_told_again_as_text(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.django_db
@pytest.mark.parametrize("mode", list(SAMPLES))
def test_a_preview_shows_every_sample_customer_and_asks_nobody(mode: str, django_assert_num_queries: Any) -> None:
    """No query, nothing written: BASE_URL is set."""
    with django_assert_num_queries(0):
        mail = render(facts=sample_facts(mode))
    assert mail.secrets == ()
    assert words(mail.text) == words_of_html(mail.html)
    assert ("Ana" in mail.text) is (mode != "no_order")
    assert ("Free shipping" in mail.text) is (mode == "coupon_unused")


def test_a_preview_without_an_address_of_the_shop_still_shows_something(settings: Any, db: None) -> None:
    from wagtail.models import Site

    Site.objects.all().delete()
    settings.THANKYOU_FLOWS = {}
    assert sample_facts("unheard of").base_url == "https://shop.example"
    assert sample_facts("unheard of").order is not None


OWN_MAIL = """{% extends "thankyou_flows/email/base.html" %}{% block heading %}Hi{% endblock %}
{% block content %}<p>Some {{ what }}</p>{% endblock %}{% block button %}Go{% endblock %}{% block foot %}Why{% endblock %}"""


def test_every_mail_that_extends_the_layout_has_its_styles_in_its_lines() -> None:
    """Whoever renders it, and however."""
    html = Template(OWN_MAIL).render(Context({"what": "<tea>", "url": f"{BASE}/x/", "site_name": "The Tea Shop"}))
    soup = BeautifulSoup(html, "html.parser")
    assert html.startswith("<!DOCTYPE html>")
    assert soup.h1.get_text(strip=True) == "Hi"
    assert soup.find("p", string="Some <tea>")["style"]
    assert soup.select_one("a.button")["href"] == f"{BASE}/x/"
    assert soup.select_one("a.button")["style"]
    assert len(soup("style")) == 1


@pytest.mark.parametrize("name", ["unlock", "newsletter_confirm"])
def test_the_mails_of_this_package_share_the_layout(name: str) -> None:
    context = {"url": f"{BASE}/t/", "site_name": "The Tea Shop", "hours": 72, "campaign": make_coupon().campaign}
    html = render_to_string(f"thankyou_flows/email/{name}_message.html", context)
    assert BeautifulSoup(html, "html.parser").select_one(".sheet .inside .button")["href"] == f"{BASE}/t/"
    assert len(BeautifulSoup(html, "html.parser")("style")) == 1


def test_facts_are_not_changed_by_a_mail() -> None:
    facts = make_facts()
    before = replace(facts)
    render(facts=facts)
    assert facts == before


@pytest.mark.parametrize(
    ("address", "is_right"),
    [("//evil.example/x", False), ("javascript:alert(1)", False), ("/tea/", True), ("https://shop.example/", True)],
    ids=["two-slashes", "script", "path", "whole"],
)
def test_where_a_button_may_lead(address: str, is_right: bool) -> None:
    """EM-8: what was probably meant as a path of the shop leads to nobody else's."""
    try:
        validate_address(address)
    except ValidationError:
        assert not is_right
    else:
        assert is_right
