"""Settings and their system checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import checks
from django.test import override_settings

from coupons.checks import check_settings
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
    assert check_settings in checks.registry.registry.registered_checks


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
