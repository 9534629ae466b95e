"""The countdown: it shows the server's time whatever the visitor's clock says, and it is no nuisance."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from djmoney.money import Money
from playwright.sync_api import expect

from .journey import NEARLY_AN_HOUR, Keyboard, Shopper, seconds_shown

DAY = 24 * 3600 * 1000
#: How far the display may be behind the truth, in seconds (CD-1).
TOLERANCE = 2
#: How far a browser that gets no processor time may be out for a moment, in seconds. A wrong clock is out for good.
STUTTER = 5
#: The longest that the page waited for an answer of the server, in seconds: that much it counts as passed (CD-1).
LATENCY = """() => Math.max(0, ...[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter((entry) => ["navigation", "fetch"].includes(entry.initiatorType))
  .map((entry) => entry.responseEnd - entry.requestStart)) / 1000"""

#: A visitor's clock that is wrong; only what tells the time of day is, as on a real machine.
WRONG_CLOCK = """
  window.wrongBy = %d;
  window.Date = class extends Date {
    constructor(...given) { given.length ? super(...given) : super(super.constructor.now()); }
    static now() { return super.now() + window.wrongBy; }
  };
"""
#: Notes everything that a screen reader would be told.
LISTEN = """() => {
  window.told = [];
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const element = target.nodeType === 1 ? target : target.parentElement;
      const region = element?.closest('[role=status], [role=alert], [aria-live]:not([aria-live=off])');
      const text = region?.textContent.trim();
      if (text && window.told.at(-1) !== text) window.told.push(text);
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def assert_true(shopper: Shopper, ends_at: datetime) -> None:
    """The display is the truth, rounded down (CD-2), and at most a little behind it (CD-1)."""
    expect(shopper.clock).to_be_visible()
    tolerance = TOLERANCE + shopper.page.evaluate(LATENCY)
    for chance in range(4):
        before = (ends_at - timezone.now()).total_seconds()
        shortest, longest = seconds_shown(shopper.clock.inner_text())
        after = (ends_at - timezone.now()).total_seconds()
        ahead, behind = shortest - before, after - tolerance - longest
        if max(ahead, behind) <= 0:
            return
        if chance == 3 or max(ahead, behind) > STUTTER:
            break
        shopper.page.wait_for_timeout(500)
    assert ahead <= 0, f"The clock promises {ahead} s more than there is."
    assert behind <= 0, f"The clock has lost {behind} s."


@pytest.mark.parametrize("wrong_by", [3 * DAY, -3 * DAY], ids=["fast", "slow"])
def test_a_wrong_clock_changes_nothing(context: Callable[..., Any], travel: Callable[..., None], wrong_by: int) -> None:
    """CD-1: with a clock three days off, and with one that jumps while the page is open."""
    browser = context()
    browser.add_init_script(WRONG_CLOCK % wrong_by)
    shopper = Shopper(browser.new_page())
    shopper.quick_order()
    ends_at = shopper.offer_coupon.ends_at
    assert abs(shopper.page.evaluate("Date.now()") - timezone.now().timestamp() * 1000 - wrong_by) < DAY / 24
    assert shopper.deadline == ends_at
    expect(shopper.clock).to_have_text(NEARLY_AN_HOUR)
    assert_true(shopper, ends_at)

    # The last minute counts seconds: there the display shows every error.
    travel(ends_at - timedelta(seconds=55))
    shopper.page.reload()
    expect(shopper.clock).to_have_text(re.compile(r"^\d+ s$"))
    assert_true(shopper, ends_at)
    for jump in (-2 * wrong_by, wrong_by):
        shopper.page.evaluate("(jump) => { window.wrongBy += jump }", jump)
        shown = shopper.clock.inner_text()
        expect(shopper.clock).not_to_have_text(shown)
        assert_true(shopper, ends_at)


def test_a_page_that_was_asleep_asks_the_server(shopper: Shopper, travel: Callable[..., None]) -> None:
    """CD-1: back in sight, the page follows the server, not what it has counted itself."""
    shopper.quick_order()
    expect(shopper.clock).to_be_visible()
    ends_at = shopper.offer_coupon.ends_at
    travel(ends_at - timedelta(minutes=20, seconds=30))
    shopper.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(shopper.clock).to_have_text("20 min")
    assert_true(shopper, ends_at)


def test_more_time_is_real(either: Shopper, travel: Callable[..., None]) -> None:
    """AX-2, CD-3: asked for by keyboard; the longer deadline is the one that the checkout keeps."""
    either.quick_order()
    before = either.offer_coupon.ends_at
    either.hands = Keyboard()
    either.push("I need more time")
    expect(either.offer).to_contain_text("Done: you have more time now.")
    assert either.offer_coupon.ends_at == before + timedelta(hours=1) == either.deadline
    if either.has_script:
        expect(either.clock).to_have_text(re.compile(r"^1 h 5[789] min$"))
        assert_true(either, either.deadline)
    travel(before + timedelta(minutes=30))
    assert either.quick_order("/sweet-things/oat-biscuits/").shipping == Money(0, "EUR")


def test_the_clock_can_be_hidden(shopper: Shopper) -> None:
    """AX-1: by keyboard, and it stays hidden; the sentence with the end stays."""
    shopper.quick_order()
    shopper.hands = Keyboard()
    shopper.push("Hide the clock")
    expect(shopper.clock).to_be_hidden()
    shopper.page.reload()
    expect(shopper.page.get_by_role("button", name="Show the clock")).to_be_visible()
    expect(shopper.clock).to_be_hidden()
    expect(shopper.offer).to_contain_text("Free shipping until")
    shopper.push("Show the clock")
    expect(shopper.clock).to_be_visible()


def test_the_clock_says_little_and_ends_kindly(shopper: Shopper) -> None:
    """AX-1, AX-2: an hour in fast motion: at most six announcements in ten minutes, and nothing else of the page moves."""
    shopper.quick_order()
    page = shopper.page.context.new_page()
    page.clock.install()
    page.goto(shopper.page.url)
    watcher = Shopper(page, email=shopper.email)
    expect(watcher.clock).to_have_text(NEARLY_AN_HOUR)
    expect(watcher.clock).to_be_visible()
    page.get_by_label("E-mail", exact=True).fill("not-sent-yet@example.com")
    page.evaluate(LISTEN)
    # From here on no real second is added to the sixty of a step, which could carry it past a minute.
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 30)
    texts = set()
    for _step in range(60):
        page.clock.run_for(60_000)
        texts |= set(watcher.clock.all_inner_texts())
    assert {"45 min", "10 min", "1 min"} <= texts
    expect(watcher.offer).to_contain_text("This offer was valid until")
    assert page.evaluate("window.told") == [
        "10 minutes left.",
        "5 minutes left. You can ask for more time.",
        "1 minute left.",
        "The time of this offer is over.",
    ]
    expect(page.get_by_label("E-mail", exact=True)).to_have_value("not-sent-yet@example.com")
    expect(page.get_by_label("E-mail", exact=True)).to_be_focused()
