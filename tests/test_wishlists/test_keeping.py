"""The life of lists that a guest keeps on a device: open, closed with the browser, put back, kept for later, forgotten."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from wishlists import cookies
from wishlists.conf import app_settings
from wishlists.device import DeviceShelf
from wishlists.exceptions import ListFull
from wishlists.kinds import CART, COMPARE, SAVED, get_kind, on_device
from wishlists.lines import Line, Lines, add, remove, set_quantity
from wishlists.returning import forget_left, keep_for_later, put_back

from .conftest import cookie, kept, put

DAY = 24 * 60 * 60
Contents = dict[tuple[str, str], int]


class Browser:
    """A cookie jar around a DeviceShelf; what is written is measured."""

    def __init__(self) -> None:
        self.jar: dict[str, str] = {}
        self.kept: set[str] = set()

    def visit(self, act: Callable[[DeviceShelf], Any] = lambda shelf: None) -> Any:
        """Make one request, in which ``act`` is done; ListFull is an answer."""
        request = RequestFactory().get("/")
        request.COOKIES = dict(self.jar)
        request.META["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        shelf = DeviceShelf(request)
        try:
            answer = act(shelf)
        except ListFull as full:
            answer = full
        response = HttpResponse()
        shelf.write(response)
        for name, morsel in response.cookies.items():
            self.kept.discard(name)
            if morsel["max-age"] == 0:
                self.jar.pop(name, None)
                continue
            assert morsel["max-age"] in ("", 30 * DAY)
            self.jar[name] = morsel.value
            if morsel["max-age"]:
                self.kept.add(name)
        return answer

    def close(self) -> None:
        self.jar = {name: value for name, value in self.jar.items() if name in self.kept}

    def size(self, kind: str) -> int:
        name = app_settings.cookie_name(kind)
        return cookies.size(self.jar[name], kind) if name in self.jar else 0


def contents(lines: Lines) -> Contents:
    return {line.key: line.quantity for line in lines}


def join(target: Contents, source: Contents, most: int) -> Contents:
    """Put what fits into the target, and return the rest: the union, in words of a test."""
    rest = {}
    for key, quantity in source.items():
        if key in target:
            target[key] = max(target[key], quantity)
        elif len(target) < most:
            target[key] = quantity
        else:
            rest[key] = quantity
    return rest


KINDS = st.sampled_from([CART, SAVED, COMPARE])
KEEPABLE = (CART, SAVED)
REFS = st.sampled_from([f"sku-{number}" for number in range(7)])
MOST = {CART: 4, SAVED: 5, COMPARE: 4}


class Life(RuleBasedStateMachine):
    """Against plain dicts: what is open, what is left, what is kept (CK-5, CK-6)."""

    def __init__(self) -> None:
        super().__init__()
        self.browser = Browser()
        self.open: dict[str, Contents] = {kind: {} for kind in MOST}
        self.left: dict[str, Contents] = {kind: {} for kind in MOST}
        self.kept: set[str] = set()
        self.hushed = False

    def _settle(self, *kinds: str) -> None:
        """What follows any change of these lists: keeping holds for all, and an empty list leaves nothing."""
        for kind in kinds:
            if not self.open[kind] and not self.left[kind]:
                self.kept.discard(kind)
            elif self.kept and kind in KEEPABLE:
                self.kept.add(kind)

    @rule(kind=KINDS, ref=REFS, quantity=st.integers(1, 60))
    def add(self, kind: str, ref: str, quantity: int) -> None:
        answer = self.browser.visit(
            lambda shelf: shelf.save(add(shelf.get(kind), product_ref=ref, quantity=quantity)) or True
        )
        have = self.open[kind].get((ref, ""), 0)
        if kind == COMPARE:
            quantity, have = 1, 0
        is_full = have + quantity > 99 or ((ref, "") not in self.open[kind] and len(self.open[kind]) == MOST[kind])
        assert isinstance(answer, ListFull) == is_full
        if not is_full:
            self.open[kind][ref, ""] = have + quantity
            self._settle(kind)

    @rule(kind=KINDS, ref=REFS)
    def take_out(self, kind: str, ref: str) -> None:
        self.browser.visit(lambda shelf: shelf.save(remove(shelf.get(kind), product_ref=ref)))
        self.open[kind].pop((ref, ""), None)
        self._settle(kind)

    @rule()
    def keep(self) -> None:
        self.browser.visit(lambda shelf: shelf.keep(True))
        self.kept |= {kind for kind in KEEPABLE if self.open[kind] or self.left[kind]}

    @rule()
    def keep_no_longer(self) -> None:
        self.browser.visit(lambda shelf: shelf.keep(False))
        self.kept.clear()

    @rule()
    def put_back(self) -> None:
        returned = self.browser.visit(put_back)
        before = sum(map(len, self.left.values()))
        for kind in KEEPABLE:
            if self.left[kind]:
                self.left[kind] = join(self.open[kind], self.left[kind], MOST[kind])
                self._settle(kind)
        stayed = sum(map(len, self.left.values()))
        assert (returned.number, returned.stayed) == (before - stayed, stayed)

    @rule()
    def keep_for_later(self) -> None:
        self.browser.visit(keep_for_later)
        for kind in (SAVED, CART):
            if self.left[kind]:
                self.left[kind] = join(self.open[SAVED], self.left[kind], MOST[SAVED])
                self._settle(SAVED, kind)

    @rule()
    def forget_left(self) -> None:
        number = self.browser.visit(forget_left)
        assert number == sum(map(len, self.left.values()))
        for kind in MOST:
            self.left[kind] = {}
            self._settle(kind)

    @rule()
    def forget_all(self) -> None:
        self.browser.visit(DeviceShelf.forget_all)
        assert self.browser.jar == {}
        for kind in MOST:
            self.open[kind], self.left[kind] = {}, {}
        self.kept.clear()
        self.hushed = False

    @rule()
    def not_now(self) -> None:
        self.browser.visit(DeviceShelf.hush)
        self.hushed = True

    @rule()
    def close_the_browser(self) -> None:
        self.browser.close()
        self.hushed = False
        for kind in MOST:
            if kind in self.kept:
                for key, quantity in self.open[kind].items():
                    self.left[kind][key] = max(quantity, self.left[kind].get(key, 0))
            else:
                self.left[kind] = {}
            self.open[kind] = {}

    @rule(kind=st.sampled_from(KEEPABLE), ref=REFS, quantity=st.integers(1, 60))
    def a_visit_that_keeps_something(self, kind: str, ref: str, quantity: int) -> None:
        """The three steps that seldom follow each other by chance."""
        self.add(kind, ref, quantity)
        self.keep()
        self.is_as_the_model_says()
        self.close_the_browser()

    @rule()
    def look(self) -> None:
        """A GET changes nothing, not even how long something is kept (CK-6)."""
        before = dict(self.browser.jar)
        self.browser.visit(lambda shelf: (shelf.is_kept, shelf.count_left, shelf.is_hushed, shelf.is_empty))
        assert self.browser.jar == before

    @invariant()
    def is_as_the_model_says(self) -> None:
        def look(shelf: DeviceShelf) -> None:
            for kind in MOST:
                assert contents(shelf.get(kind)) == self.open[kind]
                assert contents(shelf.left(kind)) == self.left[kind]
                assert (shelf.left_at(kind) is not None) == bool(self.left[kind])
            assert shelf.count_left == sum(map(len, self.left.values()))
            assert shelf.is_kept == bool(self.kept)
            assert shelf.is_hushed == self.hushed
            assert shelf.is_empty == (not any(self.open.values()) and not any(self.left.values()))

        self.browser.visit(look)
        assert {app_settings.cookie_name(kind) for kind in self.kept} == self.browser.kept
        for kind in MOST:
            assert self.browser.size(kind) <= get_kind(kind).max_bytes


@pytest.fixture(autouse=True)
def limits(site: Any) -> None:
    site.THANKYOU_WISHLISTS = {
        **site.THANKYOU_WISHLISTS,
        "KINDS": {kind: {"max_items": most} for kind, most in MOST.items()},
    }


def test_the_life_of_lists(site: Any):
    """CK-5, CK-6: the model above, in the settings of the small site."""
    run_state_machine_as_test(Life, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))


LETTERS = string.ascii_letters + "äß€𝛼"
LONG_REFS = st.text(LETTERS, min_size=1, max_size=128)
STEPS = st.tuples(
    st.sampled_from(["add", "add", "add", "more", "remove", "keep", "session", "open", "later", "close"]),
    st.sampled_from([CART, SAVED]),
    LONG_REFS,
    st.integers(1, 99),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=10, max_size=60), encrypted=st.booleans(), small=st.booleans())
def test_no_step_of_the_life_makes_a_cookie_too_long_or_fails(
    site: Any, steps: list[tuple[str, str, str, int]], encrypted: bool, small: bool
):
    """CK-2: only what brings something new can be refused; keeping, opening and taking out never are."""
    kinds = {kind: {"max_bytes": 500} if small else {} for kind in (CART, SAVED)}
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": kinds, "ENCRYPT_LISTS": encrypted}
    browser = Browser()
    for action, kind, ref, quantity in steps:

        def act(
            shelf: DeviceShelf, action: str = action, kind: str = kind, ref: str = ref, quantity: int = quantity
        ) -> Any:
            lines = shelf.get(kind)
            first = lines.lines[0].product_ref if lines else ref
            before = contents(shelf.left(CART)) | contents(shelf.left(SAVED))
            match action:
                case "add":
                    shelf.save(add(lines, product_ref=ref, quantity=quantity))
                case "more":
                    shelf.save(set_quantity(lines, product_ref=first, quantity=quantity))
                case "remove":
                    shelf.save(remove(lines, product_ref=first))
                case "keep" | "session":
                    shelf.keep(action == "keep")
                case "open":
                    put_back(shelf)
                case "later":
                    keep_for_later(shelf)
            if action in ("open", "later"):
                after: Contents = {}
                for each in (CART, SAVED):
                    after |= contents(shelf.get(each)) | contents(shelf.left(each))
                assert set(before) <= set(after), "nothing is lost on the way"

        if action == "close":
            browser.close()
            continue
        answer = browser.visit(act)
        assert answer is None or action in ("add", "more"), answer
        for each in (CART, SAVED):
            assert browser.size(each) <= get_kind(each).max_bytes


def test_a_full_cookie_can_be_kept_opened_and_emptied(site: Any):
    """CK-2: adding leaves a little room for that."""
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {CART: {"max_items": 500}}}
    browser = Browser()

    def add_one(number: int) -> Any:
        return browser.visit(lambda shelf: shelf.save(add(shelf.get(CART), product_ref=f"sku-é-{number * 7919}")))

    number = 0
    while not isinstance(add_one(number), ListFull):
        number += 1
    assert number > 100
    browser.visit(lambda shelf: shelf.keep(True))
    browser.close()
    assert browser.visit(lambda shelf: shelf.count_left) == number
    assert browser.visit(put_back).stayed == 0
    browser.visit(lambda shelf: shelf.keep(False))
    while lines := browser.visit(lambda shelf: shelf.get(CART)):
        browser.visit(lambda shelf, lines=lines: shelf.save(lines.having(*lines.lines[1:])))
        assert browser.size(CART) <= 3800


def test_after_the_shop_lowered_a_limit_things_can_still_be_taken_out(site: Any, client: Client):
    """CK-2: a cookie of yesterday's limit is read, gets shorter, and never longer by something new."""
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {CART: {"max_items": 500}}}
    put(client, *(Line(f"sku-{number}", 1 + number % 99) for number in range(200)))
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KINDS": {CART: {"max_items": 500, "max_bytes": 200}}}
    assert client.post("/cart/add/", {"product_ref": "tea"}).status_code == 422
    assert client.post("/cart/change/", {"product_ref": "sku-0", "quantity": "0"}).status_code == 303
    assert len(kept(client)) == 199
    assert client.post("/cart/change/", {"product_ref": "sku-98", "quantity": "1"}).status_code == 303


def test_what_is_kept_lasts_exactly_so_many_days_after_each_change(client: Client, site: Any):
    """CK-6: with Max-Age only after the customer has asked; renewed by a change, not by a look."""
    site.THANKYOU_WISHLISTS = {**site.THANKYOU_WISHLISTS, "KEEP_DAYS": 12}
    assert client.post("/cart/add/", {"product_ref": "tea"}).cookies["cart"]["max-age"] == ""
    found = client.post("/lists/device/", {"action": "keep"}).cookies
    assert found["cart"]["max-age"] == 12 * DAY
    assert found["cart_open"]["max-age"] == "", "opened for this browser session only"
    assert "cart" not in client.get("/cart/").cookies
    assert client.post("/cart/add/", {"product_ref": "pot"}).cookies["cart"]["max-age"] == 12 * DAY
    assert client.post("/saved/add/", {"product_ref": "tea"}).cookies["cart_saved"]["max-age"] == 12 * DAY
    assert client.post("/compare/change/", {"product_ref": "tea"}).cookies["cart_compare"]["max-age"] == ""
    assert client.post("/lists/device/", {"action": "session"}).cookies["cart"]["max-age"] == ""


def test_the_date_of_what_was_left_is_that_of_the_earlier_visit(client: Client):
    """CK-4: later changes of the open list do not make what was left any newer."""
    then = timezone.now().replace(microsecond=0) - timedelta(days=3)
    with time_machine.travel(then, tick=False):
        put(client, Line("tea", 2), keep=True, is_open=False)
    client.post("/cart/add/", {"product_ref": "pot"})
    found = cookie(client)
    assert found is not None
    assert [line.product_ref for line in found.left] == ["tea"]
    assert found.left_at == then
    assert found.at is not None
    assert found.at > then


@pytest.mark.parametrize("text", ["x", "cart.cart", "saved.cart", "-.-", "\xff", "a" * 5000, ".", "cart.", "evil.cart"])
def test_a_marker_that_we_did_not_write_is_put_right(client: Client, text: str):
    """CK-3: the cookie of what is open; whoever asks for a list gets a page."""
    response = client.get("/cart/", HTTP_COOKIE=f"cart_open={text}")
    assert response.status_code == 200
    assert "cart_open" in response.cookies
    assert response.cookies["cart_open"].value in ("", "cart", "cart.saved", "-")
    assert not client.get("/plain/", HTTP_COOKIE=f"cart_open={text}").cookies


def test_every_kind_a_guest_has_is_on_the_device():
    assert [kind.name for kind in on_device()] == [CART, SAVED, COMPARE]


@pytest.mark.teeth
@pytest.mark.parametrize("broken", ["restored by itself", "forgets what was there"])
def test_the_model_has_teeth(monkeypatch: pytest.MonkeyPatch, broken: str):
    """CK-5: with lists that come back uninvited, or one visit that replaces another, the model fails."""

    def close(_shelf: DeviceShelf, kept: Any) -> Any:
        if broken == "restored by itself" or not kept.keep or not kept.lines or kept.lines.kind in _shelf._open_now:
            return kept
        return replace(kept, lines=kept.lines.having(), left=kept.lines, left_at=kept.at)

    monkeypatch.setattr(DeviceShelf, "_close", close)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Life, settings=settings(max_examples=200, stateful_step_count=30, deadline=None))
