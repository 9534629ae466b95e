"""What the blocks' default templates say in each state they are designed for. How it looks is for eyes to judge."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from django.urls import include, path
from wagtail.blocks import StreamValue

from coupons.models import Campaign
from example_site import styleguide
from thankyou_flows.blocks import FlowStreamBlock
from thankyou_flows.flow import Flow
from thankyou_flows.pages.models import ThankYouPage
from thankyou_flows.samples import SAMPLES, sample_flow
from thankyou_flows.templatetags.thankyou_flows import flow_blocks
from thankyou_flows.values import OrderState

urlpatterns = [
    path("styleguide/", include("example_site.styleguide")),
    path("", include("example_site.urls")),
]
pytestmark = pytest.mark.urls(__name__)

STATIC = Path(styleguide.__file__).parent.parent / "thankyou_flows" / "static" / "thankyou_flows"
STREAM = FlowStreamBlock()
FREE_SHIPPING = Campaign(title="Offer", benefit=Campaign.Benefit.FREE_SHIPPING, deadline_minutes=60, terms="Once.")


def soup(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def words(tag: Tag) -> str:
    """Return the visible text with single spaces."""
    return " ".join(tag.get_text(" ").split())


def show(kind: str, values: dict[str, Any], flow: Flow) -> BeautifulSoup:
    """Render one block as a page does."""
    from django.template import Context

    value = STREAM.child_blocks[kind].get_default()
    value.update(values)
    body = StreamValue(STREAM, [(kind, value, "b1")])
    return soup(flow_blocks(Context({"flow": flow}), body))


def offer(flow: Flow | None = None, *, minutes: float | None = 42.5, more: Any = None, **facts: bool) -> BeautifulSoup:
    flow = flow or replace(sample_flow("offer_running"), is_preview=False, url="/thanks/order/1/")
    ends_in = None if minutes is None else timedelta(minutes=minutes)
    promises = styleguide.FixedPromises(now=flow.now, ends_in=ends_in, **facts)
    return show("offer", {"campaign": FREE_SHIPPING}, replace(flow, promises=promises, **(more or {})))


def buttons(tag: Tag) -> list[str]:
    return [words(button) for button in tag.select("form button, a.ty-button")]


# Whole pages --------------------------------------------------------------------------------------


@pytest.fixture
def full_page(make_page: Callable[..., ThankYouPage], offer_campaign: Campaign) -> ThankYouPage:
    return make_page(
        headline="Thank you, {first_name}",
        generic_text="<p>Open the link in your mail.</p>",
        body=[
            ("status", {}),
            ("heading", {"text": "What happens now"}),
            ("text", {"text": "<p>We pack order {order_number}.</p>"}),
            ("text_everywhere", {"text": "<p>For everybody.</p>"}),
            ("offer", {"campaign": offer_campaign, "heading": "Forgot something?", "text": "", "button": "Go on"}),
            ("coupon", {"campaign": offer_campaign, "heading": "For next time", "text": ""}),
            ("newsletter", STREAM.child_blocks["newsletter"].get_default()),
            ("summary", {"heading": "Your order", "show_pictures": True, "show_addresses": True}),
        ],
    )


ALL = {"status", "heading", "text", "text-everywhere", "offer", "coupon", "newsletter", "summary"}


@pytest.mark.parametrize(
    ("sample", "blocks"),
    [
        ("first_order", ALL),
        ("returning", ALL),
        ("offer_running", ALL),
        ("offer_over", ALL),
        ("answered", ALL),
        ("waiting", ALL - {"offer", "coupon"}),
        ("link", ALL),
        ("stranger", {"text-everywhere", "newsletter"}),
    ],
)
def test_every_sample_shows_its_blocks_and_nothing_fails(
    full_page: ThankYouPage, rf: Any, caplog: pytest.LogCaptureFixture, sample: str, blocks: set[str]
) -> None:
    """CM-4, TY-10: the previews are the blocks' own templates; a block that fails would be logged and left out."""
    response = full_page.serve_preview(rf.get("/"), sample)
    page = soup(response.rendered_content)
    shown = {
        name.removeprefix("ty-block--")
        for section in page.select("section.ty-block")
        for name in section["class"]
        if name.startswith("ty-block--")
    }
    assert shown == blocks
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(page.select("h1")) == 1
    assert all(button.has_attr("disabled") for button in page.select(".ty-block form button"))
    # TY-11: the script reloads a page from the back/forward cache only if it shows an order.
    assert bool(page.select("[data-ty-order]")) is (sample != "stranger")


def test_all_samples_are_covered() -> None:
    marks = test_every_sample_shows_its_blocks_and_nothing_fails.pytestmark  # type: ignore[attr-defined]
    assert {case[0] for mark in marks if mark.name == "parametrize" for case in mark.args[1]} == set(SAMPLES)


def test_a_page_without_a_summary_has_one_column(make_page: Callable[..., ThankYouPage], rf: Any) -> None:
    page = soup(make_page(body=[("status", {})]).serve_preview(rf.get("/"), "first_order").rendered_content)
    assert not page.select("aside")
    assert page.select(".ty-columns--single")


# The countdown offer ------------------------------------------------------------------------------


def test_a_running_offer_says_its_end_in_words_without_scripts() -> None:
    """CD-6, AX-1: benefit, exact end with zone and terms are text; the clock is an addition, hidden without scripts."""
    block = offer()
    benefit = block.select_one(".ty-promise__benefit")
    assert benefit is not None
    assert words(benefit).startswith("Free shipping until ")
    end = benefit.select_one("time")
    assert end is not None
    assert re.search(r"\(.+\)$", words(end)), "names the zone"
    assert "Once." in words(block)
    countdown = block.select_one("ty-countdown")
    assert countdown is not None
    assert countdown.has_attr("hidden"), "a number that stands still would soon exceed the truth (CD-2)"
    assert countdown["ends-at"] == end["datetime"]
    assert countdown["server-now"] < countdown["ends-at"]
    assert countdown["clock-url"] == "/thanks/clock/"
    timer = countdown.select_one("[role=timer]")
    assert timer is not None
    assert timer["aria-label"] == "Time left"
    assert words(timer) == "42 min"
    template = countdown.select_one("template")
    assert template is not None
    assert "The shop stays open" in words(template)


def test_a_running_offer_can_be_extended_from_the_start() -> None:
    """AX-2, and it is announced before the end."""
    block = offer()
    assert buttons(block) == ["Continue shopping", "I need more time"]
    countdown = block.select_one("ty-countdown")
    assert countdown is not None
    assert "more time" in countdown["say-5"]
    assert len([name for name in countdown.attrs if name.startswith("say-")]) <= 6
    final = offer(is_extendable=False)
    assert buttons(final) == ["Continue shopping"]
    assert "more time" not in str(final)


def test_an_offer_that_is_not_on_the_next_checkout_can_be_put_there() -> None:
    block = offer(is_applied=False)
    assert buttons(block) == ["Use it now", "I need more time"]
    use, extend = block.select("form")
    # It leads to another page of the shop, so the browser goes there itself.
    assert not use.has_attr("data-ty-action")
    assert extend.has_attr("data-ty-action")


def test_the_clock_of_a_preview_asks_nobody() -> None:
    """CM-4."""
    countdown = offer(sample_flow("offer_running")).select_one("ty-countdown")
    assert countdown is not None
    assert not countdown.has_attr("clock-url")


def test_an_offer_that_was_not_claimed_has_no_end_yet() -> None:
    block = offer(minutes=None)
    assert buttons(block) == ["Start my offer"]
    assert not block.select("time, ty-countdown, code")
    assert "Your time starts when you press the button" in words(block)


@pytest.mark.parametrize(
    ("facts", "text"),
    [({"minutes": -5}, "This offer was valid until"), ({"is_used": True}, "You have used this offer")],
)
def test_an_offer_that_is_over_says_so_and_offers_nothing(facts: dict[str, Any], text: str) -> None:
    """CD-4, CD-5."""
    block = offer(**facts)
    assert text in words(block)
    assert not block.select("form, ty-countdown, code, .ty-button")


def test_a_longer_deadline_has_no_clock() -> None:
    block = offer(minutes=30 * 60)
    assert not block.select("ty-countdown")
    assert block.select("time")


@pytest.mark.parametrize(
    ("code", "text"),
    [("extended", "you have more time now"), ("type_it", "Please type the code"), ("", "")],
)
def test_what_happened_is_said_in_a_polite_region(code: str, text: str) -> None:
    """AX-4: the region is there from the start, and empty until something happened."""
    region = offer(more={"outcomes": {"b1": code}}).select_one("[role=status]")
    assert region is not None
    assert text in words(region)
    assert bool(words(region)) is bool(text)


def test_an_error_is_said_where_the_button_is() -> None:
    """AX-3."""
    form = STREAM.child_blocks["offer"].form_class({"command": "extend"})
    form.add_error(None, "This offer cannot be extended any more.")
    region = offer(more={"forms": {"b1": form}}).select_one("[role=status]")
    assert region is not None
    assert words(region) == "This offer cannot be extended any more."


# Order summary and state --------------------------------------------------------------------------


def summary(**changes: Any) -> BeautifulSoup:
    flow = sample_flow(changes.pop("sample", "first_order"))
    assert flow.order is not None
    return show("summary", {}, replace(flow, order=replace(flow.order, **changes)))


def test_pictures_are_decoration_beside_the_title_and_may_be_missing() -> None:
    block = summary(lines=styleguide._lines(3))
    assert [image["alt"] for image in block.select("img")] == ["", ""]
    assert all(image.has_attr("width") and image.has_attr("height") for image in block.select("img")), "no layout shift"
    assert not summary().select("img")


def test_a_long_order_shows_every_line() -> None:
    assert len(summary(lines=styleguide._lines(40)).select("li")) == 40


def test_free_shipping_is_a_word() -> None:
    flow = sample_flow("first_order")
    assert flow.order is not None
    assert "Free" in words(summary(shipping=flow.order.shipping * 0))


def test_somebody_with_only_a_link_sees_neither_address_nor_e_mail() -> None:
    """TY-1."""
    block = summary(sample="link")
    assert not block.select("address")
    assert "@" not in words(block)
    assert block.select(".ty-totals__total")


@pytest.mark.parametrize("state", list(OrderState))
def test_every_state_has_its_sentence(state: OrderState) -> None:
    flow = sample_flow("first_order")
    assert flow.order is not None
    block = show("status", {}, replace(flow, order=replace(flow.order, state=state)))
    line = block.select_one(".ty-state__line")
    assert line is not None
    assert words(line).endswith(".")
    mark = block.select_one("svg")
    assert mark is not None
    assert mark["aria-hidden"] == "true"


# The style guide: every block, every state --------------------------------------------------------


@pytest.fixture
def guide(client: Any, db: None) -> BeautifulSoup:
    response = client.get("/styleguide/")
    assert response.status_code == 200
    return soup(response.content.decode())


def test_every_specimen_of_the_style_guide_is_there(guide: BeautifulSoup, caplog: pytest.LogCaptureFixture) -> None:
    specimens = guide.select(".styleguide-specimen")
    assert len(specimens) > 35
    empty = [words(each) for each in specimens if not each.select("section.ty-block")]
    assert not empty
    kinds = {
        name
        for section in guide.select("section.ty-block")
        for name in section["class"]
        if name.startswith("ty-block--")
    }
    assert kinds == {f"ty-block--{name.replace('_', '-')}" for name in STREAM.child_blocks}


def test_everything_has_a_name_and_errors_belong_to_their_fields(guide: BeautifulSoup) -> None:
    """AX-3: labels, autocomplete, errors in text that the field points to."""
    for field in guide.select(".ty-block input:not([type=hidden])"):
        assert guide.select(f'label[for="{field["id"]}"]'), field
        # The owner's own questions have no purpose that a browser could know (WCAG 1.3.5).
        assert field.has_attr("autocomplete") or field["name"].startswith("answer-"), field
    for field in guide.select(".ty-block [aria-invalid=true]"):
        # Of choices the whole group is described.
        described: Any = field if field.has_attr("aria-describedby") else field.find_parent("fieldset")
        ids = described["aria-describedby"].split()
        assert any(words(guide.find(id=name)) for name in ids if guide.find(id=name)), field
    assert guide.select(".ty-block [aria-invalid=true]")
    assert all(words(button) for button in guide.select(".ty-page button, .ty-page a"))


def test_ids_are_unique(guide: BeautifulSoup) -> None:
    ids = [tag["id"] for tag in guide.select("[id]")]
    assert len(ids) == len(set(ids))


def test_nothing_is_inline(guide: BeautifulSoup) -> None:
    """CM-6: a strict Content-Security-Policy has nothing to refuse."""
    assert not guide.select("style, [style], script:not([src])")
    assert not [tag for tag in guide.find_all(True) for name in tag.attrs if name.startswith("on")]


@pytest.mark.parametrize("sample", list(SAMPLES))
def test_whole_pages_of_the_style_guide(client: Any, db: None, sample: str) -> None:
    response = client.get(f"/styleguide/page/{sample}/", {"lines": "40", "dir": "rtl", "text": "200", "theme": "dark"})
    page = soup(response.content.decode())
    assert page.select('[dir="rtl"][data-text="200"][data-theme="dark"] .ty-page')
    assert len(page.select(".ty-order-line")) == (0 if sample == "stranger" else 40)


def test_the_style_guide_takes_nothing_but_what_it_knows(client: Any, db: None) -> None:
    assert client.get("/styleguide/page/nothing/").status_code == 404
    page = client.get("/styleguide/page/returning/", {"dir": '"><b>', "lines": "-1", "text": "x", "theme": "y"})
    assert page.status_code == 200
    assert b"<b>" not in page.content


# Styles and scripts -------------------------------------------------------------------------------


def test_scripts_and_styles_weigh_at_most_15_kb_compressed() -> None:
    """DESIGN §6."""
    files = [file for file in STATIC.iterdir() if file.suffix in {".js", ".css"}]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= 15 * 1024


def test_the_ten_properties_have_defaults_that_a_shop_overrides_in_any_order() -> None:
    css = (STATIC / "thankyou.css").read_text()
    first = re.search(r":where\(:root\) \{(.*?)\}", css, re.DOTALL)
    assert first is not None
    expected = ["accent", "on-accent", "surface", "text", "muted", "line", "radius", "font", "font-heading", "space"]
    assert re.findall(r"--ty-([a-z-]+):", first[1]) == expected
    # Nowhere else, except for dark in the same weightless way.
    rest = css.replace(first[0], "")
    assert not re.findall(r"(?<!:where\(:root\) )\{[^{}]*--ty-(?:accent|surface|text|space):", rest)


def test_styles_know_no_left_and_right() -> None:
    """AX-5: the page reads the other way round in scripts that run from right to left."""
    css = (STATIC / "thankyou.css").read_text()
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    physical = re.findall(
        r"(?:margin|padding|border)-(?:left|right)|(?:^|[;{\s])(?:left|right|width):|: (?:left|right);", css
    )
    assert not physical
