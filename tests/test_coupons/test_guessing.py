"""Limits for those who guess codes (CO-7)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from django.core.cache import cache

from coupons import codes
from coupons.entry import Visitor, enter
from coupons.exceptions import ChallengeNeeded, CouponError, InvalidCode, TooManyTries, TypingError
from coupons.guessing import attempt, is_alarm_on, needs_challenge
from coupons.signals import guessing_suspected
from coupons.staging import begun, staged

from .factories import NOW, make_coupon, make_facts

#: The first second of an hour.
NOON = "2026-05-04T12:00:00Z"
ANN = Visitor(session_key="ann", ip="192.0.2.1")


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def limited(settings: Any) -> Any:
    def limit(**changes: Any) -> None:
        settings.THANKYOU_COUPONS = {**settings.THANKYOU_COUPONS, **changes}

    return limit


def fails(count: int = 1, *, visitor: Visitor = ANN, passed: bool = False) -> list[bool]:
    """Try so many wrong codes; return for each whether it was looked at."""
    seen = []
    for _n in range(count):
        try:
            with attempt(visitor=visitor, challenge_passed=passed) as trying:
                trying.fail()
        except TooManyTries:
            seen.append(False)
        else:
            seen.append(True)
    return seen


def type_in(text: str, *, session: dict[str, Any] | None = None, visitor: Visitor = ANN, **more: Any) -> str:
    """Type a code; return the error's code, or an empty text."""
    arguments = {"facts": make_facts(), "now": NOW, "session": {} if session is None else session, **more}
    try:
        enter(text=text, visitor=visitor, **arguments)
    except CouponError as error:
        return error.code
    return ""


def test_five_a_minute() -> None:
    """CO-7: a new minute is not a new start at once; whoever waits may go on."""
    with time_machine.travel(NOON, tick=False) as clock:
        clock.shift(50)
        assert fails(7) == [True] * 5 + [False] * 2
        clock.shift(11)
        assert fails() == [False]
        clock.shift(timedelta(minutes=2))
        assert fails(6) == [True] * 5 + [False]


def test_thirty_within_the_hour() -> None:
    """CO-7: five a minute, but not for an hour."""
    with time_machine.travel(NOON, tick=False) as clock:
        allowed = 0
        for _try in range(29):
            allowed += fails(5).count(True)
            clock.shift(timedelta(minutes=2))
    assert allowed == 30


def test_twenty_a_minute_from_one_address() -> None:
    """CO-7: throwing the session away does not help."""
    with time_machine.travel(NOON, tick=False):
        seen = [fails(visitor=Visitor(session_key=f"s{n}", ip="192.0.2.1"))[0] for n in range(25)]
        assert seen == [True] * 20 + [False] * 5
        assert fails(visitor=Visitor(session_key="other", ip="192.0.2.2")) == [True]


def test_a_visitor_without_a_session_is_counted_by_the_address() -> None:
    """CO-7: the lack of one is no way around."""
    with time_machine.travel(NOON, tick=False):
        assert fails(22, visitor=Visitor(ip="192.0.2.1")) == [True] * 20 + [False] * 2
        assert fails(2, visitor=Visitor()) == [True, True]


def test_two_hundred_within_the_hour_from_one_address() -> None:
    """CO-7: twenty a minute, but not for an hour, whatever becomes of the sessions."""
    with time_machine.travel(NOON, tick=False) as clock:
        allowed = 0
        for _try in range(29):
            allowed += fails(20, visitor=Visitor(ip="192.0.2.1")).count(True)
            clock.shift(timedelta(minutes=2))
    assert allowed == 200


@pytest.mark.django_db
def test_a_wrong_code_begins_a_session() -> None:
    """CO-7: five a minute also for whoever came without one and keeps the cookie; the first try is one of them."""
    session: dict[str, Any] = {}
    seen = []
    with time_machine.travel(NOON, tick=False):
        for _n in range(7):
            visitor = Visitor(session_key=begun(session), ip="192.0.2.1")
            seen.append(type_in(codes.generate(), session=session, visitor=visitor))
    assert seen == ["invalid_code"] * 5 + ["too_many_tries"] * 2
    assert staged(session) == []


@pytest.mark.parametrize(
    ("limits", "seconds", "words"),
    [
        (["1/minute", "9/hour"], 60, "wait a few minutes"),
        (["9/minute", "1/hour"], 3600, "in an hour"),
        (["1/minute", "1/hour"], 3600, "in an hour"),
        (["1/day"], 86400, "another day"),
    ],
)
def test_it_says_how_long_to_wait(limited: Any, limits: list[str], seconds: int, words: str) -> None:
    """CO-7: by the longest limit that was hit."""
    limited(GUESS_LIMITS_SESSION=limits)
    with time_machine.travel(NOON, tick=False):
        assert fails() == [True]
        with pytest.raises(TooManyTries) as caught, attempt(visitor=ANN):
            pass
    assert caught.value.retry_after == seconds
    assert words in caught.value.message
    assert caught.value.code == "too_many_tries"


def test_only_failures_count() -> None:
    """CO-7: a customer may type right codes as often as they like, and errors on our side are not theirs."""
    with time_machine.travel(NOON, tick=False):
        for _n in range(40):
            with attempt(visitor=ANN):
                pass
        for _n in range(40):
            with pytest.raises(RuntimeError), attempt(visitor=ANN):
                raise RuntimeError
        assert fails(6) == [True] * 5 + [False]


@pytest.mark.django_db
def test_a_typing_error_costs_nothing(django_assert_num_queries: Any) -> None:
    """CO-5, CO-7: no query, no try."""
    code = codes.generate()
    wrong = ("0" if code[0] != "0" else "1") + code[1:]
    with time_machine.travel(NOON, tick=False), django_assert_num_queries(0):
        for _n in range(40):
            assert type_in(wrong) == "typing_error"
            assert type_in("née") == "typing_error"
        assert fails(6) == [True] * 5 + [False]


@pytest.mark.django_db
def test_too_many_is_too_many_whatever_is_typed(django_assert_num_queries: Any) -> None:
    """CO-6, CO-7: a right code, a wrong one and a typing error get the same answer, and nobody is asked."""
    right = make_coupon().code
    session: dict[str, Any] = {}
    with time_machine.travel(NOON, tick=False):
        assert [type_in(codes.generate(), session=session) for _n in range(5)] == ["invalid_code"] * 5
        with django_assert_num_queries(0):
            assert {type_in(text, session=session) for text in (right, codes.generate(), "née", "")} == {
                "too_many_tries"
            }
        assert session == {}
        # Somebody else is not held up by it.
        assert type_in(right, session=session, visitor=Visitor(session_key="bob", ip="192.0.2.2")) == ""
    assert staged(session) == [right]


@pytest.mark.django_db
def test_right_codes_take_no_room(limited: Any) -> None:
    """CO-7."""
    limited(GUESS_LIMITS_SESSION=["1/minute"])
    right = make_coupon(usage_limit=9).code
    with time_machine.travel(NOON, tick=False):
        assert [type_in(right) for _n in range(5)] == [""] * 5
        assert [type_in(codes.generate()), type_in(right)] == ["invalid_code", "too_many_tries"]


def test_a_hundred_at_once(limited: Any) -> None:
    """CO-7: parallel tries do not slip through between the look and the count."""
    limited(GUESS_LIMITS_IP=["7/minute"])
    barrier = Barrier(100)
    seen: list[bool] = []

    def guess() -> None:
        barrier.wait()
        seen.extend(fails(visitor=Visitor(session_key="hot", ip="192.0.2.1")))

    with time_machine.travel(NOON, tick=False):
        threads = [Thread(target=guess) for _n in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 100
        assert seen.count(True) <= 5
        # Those that were turned away have left nothing behind.
        assert fails(9).count(True) + seen.count(True) >= 5


@pytest.mark.teeth
def test_looking_first_and_counting_afterwards_would_let_them_through() -> None:
    """CO-7: the test above is able to fail."""
    barrier, ready = Barrier(30), Barrier(30)
    seen: list[bool] = []

    def look_then_count() -> None:
        ready.wait()
        free = cache.get("naive", 0) < 5
        barrier.wait()
        if free:
            cache.set("naive", cache.get("naive", 0) + 1)
            seen.append(True)

    threads = [Thread(target=look_then_count) for _n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) > 5


# The whole site ------------------------------------------------------------------------------------


@pytest.fixture
def told() -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []

    def listen(**kwargs: Any) -> None:
        heard.append({key: kwargs[key] for key in ("failures", "seconds")})

    guessing_suspected.connect(listen)
    yield heard
    guessing_suspected.disconnect(listen)


def crowd(count: int, first: int = 0) -> None:
    """Let so many visitors fail once."""
    for n in range(first, first + count):
        fails(visitor=Visitor(session_key=f"s{n}", ip=f"10.0.{n // 250}.{n % 250}"))


def test_the_alarm_is_told_once_a_minute(
    limited: Any, told: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    """CO-7: across all visitors; once a minute, not for each of them."""
    limited(GUESS_ALARM_PER_MINUTE=10)
    with time_machine.travel(NOON, tick=False) as clock, caplog.at_level(logging.WARNING):
        crowd(10)
        assert not is_alarm_on()
        crowd(5, first=10)
        assert is_alarm_on()
        assert told == [{"failures": 11, "seconds": 60}]
        clock.shift(timedelta(seconds=61))
        crowd(15)
        assert len(told) == 2
        clock.shift(timedelta(minutes=11))
        assert not is_alarm_on()
    assert caplog.text.count("guessing coupon codes") == 2


def test_the_default_is_120_a_minute(told: list[dict[str, Any]]) -> None:
    """CO-7."""
    with time_machine.travel(NOON, tick=False):
        crowd(120)
        assert told == []
        crowd(1, first=120)
    assert told == [{"failures": 121, "seconds": 60}]


@pytest.mark.django_db
def test_the_alarm_asks_for_the_challenge(limited: Any) -> None:
    """CO-7: only if the shop has one, and only while the alarm is on; the same for a right code."""
    right = make_coupon(usage_limit=9).code
    limited(GUESS_ALARM_PER_MINUTE=3)
    with time_machine.travel(NOON, tick=False) as clock:
        crowd(4)
        assert (is_alarm_on(), needs_challenge(), type_in(right)) == (True, False, "")
        limited(CHALLENGE="tests.test_coupons.small_site.is_person")
        assert needs_challenge()
        assert [type_in(text) for text in (right, codes.generate(), "née")] == ["challenge_needed"] * 3
        assert type_in(right, challenge_passed=True) == ""
        clock.shift(timedelta(minutes=11))
        assert type_in(right) == ""


def test_errors_are_of_one_family() -> None:
    """Views answer all of them with 429."""
    assert issubclass(ChallengeNeeded, TooManyTries)
    assert not issubclass(TooManyTries, InvalidCode)
    assert issubclass(TypingError, InvalidCode)


def test_no_cache_is_no_reason_to_refuse(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """CO-7: a shop whose cache is down still takes coupons, and its log says so."""
    from django.core.cache.backends.locmem import LocMemCache

    def broken(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("down")

    for name in ("get", "get_many", "add", "set", "incr"):
        monkeypatch.setattr(LocMemCache, name, broken)
    assert fails(7) == [True] * 7
    assert "cache failed" in caplog.text
