"""Rate limits: what counts as one, whose attempt it is, and what happens when the cache is gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.test import RequestFactory

from coupons.ratelimit import client_ip, hit, take

#: The first second of a minute and of five minutes.
NOON = "2026-03-02T12:00:00Z"


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def attempts(count: int, **arguments: Any) -> list[bool]:
    arguments = {"name": "test", "key": "somebody", "limits": ["5/5 minutes"], **arguments}
    return [hit(**arguments) for _n in range(count)]


def test_so_many_and_no_more() -> None:
    """TY-9: five in five minutes; a new window is not a new start."""
    with time_machine.travel(NOON, tick=False) as clock:
        clock.shift(299)
        assert attempts(7) == [True] * 5 + [False] * 2
        clock.shift(2)
        # Seconds later the next window has begun; the five are still fresh.
        assert attempts(2) == [False, False]
        clock.shift(timedelta(minutes=10))
        assert attempts(6) == [True] * 5 + [False]


def test_every_limit_counts() -> None:
    """TY-9: the tighter limit refuses, whichever it is."""
    with time_machine.travel(NOON, tick=False) as clock:
        limits = ["2/minute", "3/hour"]
        assert attempts(3, limits=limits) == [True, True, False]
        clock.shift(timedelta(minutes=3))
        assert attempts(1, limits=limits) == [False]


@pytest.mark.parametrize("spelling", ["Ann@Example.com", "  ann@example.com\t", "ANN@EXAMPLE.COM", "ａnn@example.com"])
def test_spellings_share_a_bucket(spelling: str) -> None:
    """TY-9: case, white space and width make no second bucket."""
    with time_machine.travel(NOON, tick=False):
        assert attempts(1, key="ann@example.com", limits=["1/minute"]) == [True]
        assert attempts(1, key=spelling, limits=["1/minute"]) == [False]


def test_names_and_keys_are_apart() -> None:
    with time_machine.travel(NOON, tick=False):
        assert attempts(1, limits=["1/minute"]) == [True]
        assert attempts(1, limits=["1/minute"], key="somebody else") == [True]
        assert attempts(1, limits=["1/minute"], name="other") == [True]


def test_no_address_in_the_cache(settings: Any) -> None:
    """EM-3: what is limited stays out of the cache's keys."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "peek"}}
    attempts(1, key="ann@example.com")
    keys = " ".join(cache._cache)
    assert keys
    assert "ann" not in keys


def test_a_broken_cache_refuses(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """TY-10: no cache, no attempt, unless the caller says otherwise; and it is logged without the key."""

    def fail(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("down")

    monkeypatch.setattr(LocMemCache, "get_many", fail)
    assert attempts(1) == [False]
    assert attempts(1, if_broken=True) == [True]
    assert "could not be counted" in caplog.text
    assert "somebody" not in caplog.text


def test_threads_share_the_count() -> None:
    """TY-9: what is asked at the same instant is counted one by one."""
    barrier = Barrier(16)
    allowed: list[bool] = []

    def attempt() -> None:
        barrier.wait()
        allowed.append(hit(name="test", key="hot", limits=["5/hour"]))

    with time_machine.travel(NOON, tick=False):
        threads = [Thread(target=attempt) for _n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(allowed).count(True) == 5


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "filebased.FileBasedCache", "dummy.DummyCache"])
def test_every_cache_of_django_counts(backend: str, settings: Any, tmp_path: Any) -> None:
    """TY-9: long windows hold, too, in caches that forget after five minutes by default."""
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}", "LOCATION": str(tmp_path)}}
    with time_machine.travel(NOON, tick=False) as clock:
        first = attempts(2, limits=["2/hour"])
        clock.shift(timedelta(minutes=20))
        second = attempts(1, limits=["2/hour"])
    assert first == [True, True]
    # A cache that keeps nothing limits nothing; a system check says so.
    assert second == [backend.startswith("dummy")]


def test_a_slot_can_be_given_back() -> None:
    """CO-7: what did not fail does not count, and a refused try takes nothing from the other limits."""
    limits = ["2/minute", "3/hour"]
    with time_machine.travel(NOON, tick=False) as clock:
        for _n in range(20):
            slot = take(name="test", key="somebody", limits=limits)
            assert slot
            slot.give_back()
            slot.give_back()
        assert [bool(take(name="test", key="somebody", limits=limits)) for _n in range(4)] == [True, True, False, False]
        clock.shift(timedelta(minutes=3))
        assert [bool(take(name="test", key="somebody", limits=limits)) for _n in range(2)] == [True, False]


@pytest.mark.parametrize("method", ["get_many", "decr"])
def test_a_broken_cache_refuses_no_slot(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    """CO-7: a shop whose cache is down still sells; it is logged without the key."""

    def fail(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("down")

    monkeypatch.setattr(LocMemCache, method, fail)
    slot = take(name="test", key="somebody", limits=["1/minute"])
    assert slot
    slot.give_back()
    assert "counted: the cache failed" in caplog.text
    assert "somebody" not in caplog.text


def ip(peer: str, forwarded: str | None = None, proxies: int = 0) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_ip(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers), trusted_proxies=proxies)


def test_a_spoofed_header_changes_nothing() -> None:
    """TY-9: without a configured proxy, X-Forwarded-For is only what somebody typed."""
    assert ip("192.0.2.1", "203.0.113.9") == "192.0.2.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "visitor"),
    [
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.1"),
        (1, "garbage", "192.0.2.1"),
        (1, None, "192.0.2.1"),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8:1:2:3::4]:443", "2001:db8:1:2::/64"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
    ],
)
def test_trusted_proxies(proxies: int, forwarded: str | None, visitor: str) -> None:
    """TY-9: only so many entries, from the right, were written by proxies of ours."""
    assert ip("192.0.2.1", forwarded, proxies) == visitor


def test_one_network_is_one_visitor() -> None:
    """TY-9: a household's IPv6 addresses are countless, its network is one."""
    assert ip("2001:db8:1:2::1") == ip("2001:db8:1:2:ffff::7") != ip("2001:db8:1:3::1")


def test_nobody_known_is_one_bucket() -> None:
    assert ip("") == ip("unix:") == "unknown"
