"""The thank-you page beside a static page, Oscar's own thank-you view, and a bare view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.urls import reverse

from ..browser import Answer
from ..measuring import Budget, Side, Table, at_most, sql_of, tabulate, take_turns
from ..shop import BLOCKS, expect, order

LINES = 3
MANY_LINES = 20
OSCAR_LAYOUT = "benchmarks/oscar.html"


def measure(*, app: WSGIHandler, products: list[Any], rounds: int) -> list[Table]:
    """Measure all sides with the same order, read by the browser that placed it; the site's layout is a plain one."""
    browser, address = order(app, products[:LINES], email="ana@example.com")
    oscar = browser.prepare("GET", reverse("checkout:thank-you"))
    ours = browser.prepare("GET", address)
    static = browser.prepare("GET", "/static/")
    bare = browser.prepare("GET", "/bare/")
    in_oscar = browser.prepare("GET", address, layout=OSCAR_LAYOUT)
    static_in_oscar = browser.prepare("GET", "/static/", layout=OSCAR_LAYOUT)
    for send in (ours, in_oscar):
        check_ours(send(), LINES)
    for send in (static, static_in_oscar):
        page = expect(send(), 200)
        assert page.text.count('<section class="block-') == BLOCKS, page.text
    own = expect(oscar(), 200)
    assert own.text.count("img-thumbnail") == LINES, own.text
    expect(bare(), 200)

    page = Side("our thank-you page", ours)
    peer = Side("static Wagtail page", static)
    oscars = Side("Oscar's thank-you view", oscar)
    from_memory = Side("our page, the order from memory", with_store(ours, "benchmarks.stores.RememberingStore"))
    check_ours(from_memory.run(), LINES)
    sides = [page, peer, oscars, Side("bare view", bare), from_memory]
    take_turns(sides, rounds=rounds)
    many, many_address = order(app, products[:MANY_LINES], email="bor@example.com")
    long = Side(f"{MANY_LINES} lines", many.prepare("GET", many_address))
    check_ours(long.run(), MANY_LINES)
    budgets = [
        at_most(1.5, page, peer, "× a static Wagtail page"),
        at_most(0.75, page, oscars, "× Oscar's own thank-you view"),
        Budget(f"queries, {LINES} lines", len(sql_of(page)), 12, "queries"),
        Budget(f"queries, {MANY_LINES} lines", len(sql_of(long)), 12, "queries"),
    ]
    tables = [tabulate(f"Thank-you page, {BLOCKS} live blocks, {LINES} lines", sides, budgets)]

    framed = [
        Side("our thank-you page", in_oscar),
        Side("static Wagtail page", static_in_oscar),
        Side("Oscar's thank-you view (checkout layout)", oscar),
    ]
    take_turns(framed, rounds=max(1, rounds // 3))
    return [*tables, tabulate("The same inside Oscar's full shop layout (for orientation)", framed, [])]


def with_store(send: Callable[[], Answer], store: str) -> Callable[[], Answer]:
    """Return the request with another store; the setting is read at use."""

    def run() -> Answer:
        usual, settings.THANKYOU_FLOWS = settings.THANKYOU_FLOWS, {"STORE": store}
        try:
            return send()
        finally:
            settings.THANKYOU_FLOWS = usual

    return run


def check_ours(answer: Answer, lines: int) -> None:
    """See that nothing was left out: a block that fails is, and the built-in page stands in for a page that fails."""
    text = expect(answer, 200, "Ana", "ty-countdown", "Keep it, or give it away.").text
    assert text.count('<section class="ty-block ') == BLOCKS, text
    assert text.count('<li class="ty-order-line"') == lines, text
