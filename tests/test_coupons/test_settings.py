"""Settings and their system checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import checks
from django.test import override_settings

from coupons.checks import check_cache, check_callables, check_settings
from coupons.conf import app_settings


@pytest.mark.parametrize(
    ("setting", "found", "says"),
    [
        ({}, [], ""),
        ({"RESERVATION_MINUTES": 10, "GRACE_SECONDS": 0, "MAX_EXTENSIONS": 10, "GMAIL_ALIASES": False}, [], ""),
        ([], ["thankyou_coupons.E001"], "must be a dict"),
        ({"GRACE_SECOND": 10}, ["thankyou_coupons.E002"], "Did you mean 'GRACE_SECONDS'?"),
        ({"XYZ": 10}, ["thankyou_coupons.E002"], "Known keys"),
        ({"RESERVATION_MINUTES": 0}, ["thankyou_coupons.E003"], "at least 1"),
        ({"GRACE_SECONDS": "90"}, ["thankyou_coupons.E003"], "whole number"),
        ({"MAX_EXTENSIONS": True}, ["thankyou_coupons.E003"], "whole number"),
        ({"GMAIL_ALIASES": 1}, ["thankyou_coupons.E003"], "True or False"),
        ({"MAX_EXTENSIONS": 3}, ["thankyou_coupons.W001"], "WCAG"),
        ({"GUESS_LIMITS_SESSION": ["5/minute", "9 per 2 hours"], "GUESS_LIMITS_IP": ("1/second",)}, [], ""),
        ({"GUESS_LIMITS_SESSION": "5/minute"}, ["thankyou_coupons.E003"], "a list of limits"),
        ({"GUESS_LIMITS_SESSION": []}, ["thankyou_coupons.E003"], "a list of limits"),
        ({"GUESS_LIMITS_IP": ["5/moon"]}, ["thankyou_coupons.E003"], "5/minute"),
        ({"GUESS_LIMITS_IP": ["0/minute"]}, ["thankyou_coupons.E003"], "5/minute"),
        ({"GUESS_LIMITS_IP": ["5/minute;9/hour"]}, ["thankyou_coupons.E003"], "5/minute"),
        ({"GUESS_LIMITS_IP": [5]}, ["thankyou_coupons.E003"], "5/minute"),
        ({"GUESS_ALARM_PER_MINUTE": 0}, ["thankyou_coupons.E003"], "at least 1"),
        ({"TRUSTED_PROXIES": -1}, ["thankyou_coupons.E003"], "at least 0"),
        ({"BASKET": 5}, ["thankyou_coupons.E003"], "dotted path"),
    ],
)
def test_a_wrong_setting_is_named_with_its_fix(setting: Any, found: list[str], says: str) -> None:
    """DESIGN D11."""
    with override_settings(THANKYOU_COUPONS=setting):
        messages = check_settings()
    assert [message.id for message in messages] == found
    assert all(says in f"{message.msg} {message.hint}" for message in messages)


def test_the_check_is_registered() -> None:
    """DESIGN D11: ``manage.py check`` runs it."""
    assert {check_settings, check_callables, check_cache} <= checks.registry.registry.registered_checks


def test_settings_are_read_at_use() -> None:
    """DESIGN D11: never cached."""
    with override_settings(THANKYOU_COUPONS={"RESERVATION_MINUTES": 5, "GRACE_SECONDS": 7, "MAX_EXTENSIONS": 12}):
        assert (app_settings.reservation, app_settings.grace, app_settings.max_extensions) == (
            timedelta(minutes=5),
            timedelta(seconds=7),
            12,
        )
    with override_settings(THANKYOU_COUPONS={}):
        assert (
            app_settings.reservation,
            app_settings.grace,
            app_settings.max_extensions,
            app_settings.gmail_aliases,
        ) == (
            timedelta(minutes=30),
            timedelta(seconds=90),
            10,
            True,
        )


@pytest.mark.parametrize("key", ["BASKET", "CHALLENGE"])
@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("", ""),
        ("tests.test_coupons.small_site.basket", ""),
        ("nowhere.at.all", "ModuleNotFoundError"),
        ("coupons.codes.nothing", "ImportError"),
        ("coupons.codes.LENGTH", "cannot be called"),
    ],
)
def test_what_is_called_can_be_called(key: str, path: str, says: str) -> None:
    """D11: E004, before a customer types a code."""
    with override_settings(THANKYOU_COUPONS={key: path}):
        messages = check_callables()
    assert [message.id for message in messages] == ["thankyou_coupons.E004"] * bool(says)
    assert all(says in message.msg and "takes a request" in str(message.hint) for message in messages)


@pytest.mark.parametrize(
    ("backend", "debug", "warns"),
    [
        ("locmem.LocMemCache", False, True),
        ("dummy.DummyCache", False, True),
        ("locmem.LocMemCache", True, False),
        ("redis.RedisCache", False, False),
        ("db.DatabaseCache", False, False),
    ],
)
def test_a_cache_of_one_process_is_warned_about(backend: str, debug: bool, warns: bool) -> None:
    """CO-7, TY-9: limits that each process counts for itself are no limits; while developing that is nobody's worry."""
    with override_settings(CACHES={"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}, DEBUG=debug):
        messages = check_cache()
    assert [message.id for message in messages] == ["thankyou_coupons.W002"] * warns
    assert all("Redis" in str(message.hint) for message in messages)
