"""A wrong configuration is found at start-up, with an id and a hint (D11)."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import override_settings


def ids(**kwargs: Any) -> set[str | None]:
    return {message.id for message in run_checks(**kwargs) if (message.id or "").startswith("thankyou_flows.")}


def found(check_id: str, **kwargs: Any) -> Any:
    return next(message for message in run_checks(**kwargs) if message.id == check_id)


DUMMY = "thankyou_flows.stores.dummy.DummyStore"


def test_the_tests_own_settings_are_right() -> None:
    assert ids() == set()


@pytest.mark.parametrize(
    ("given", "check_id", "words"),
    [
        ({"STORE": DUMMY, "GRACE_MINUTE": 5}, "thankyou_flows.E001", "GRACE_MINUTES"),
        ({"STORE": DUMMY, "xyz": 5}, "thankyou_flows.E001", "Known keys"),
        ({"STORE": DUMMY, "GRACE_MINUTES": "30"}, "thankyou_flows.E002", "int"),
        ({"STORE": DUMMY, "GRACE_MINUTES": True}, "thankyou_flows.E002", "int"),
        ({"STORE": DUMMY, "LINK_DAYS": -1}, "thankyou_flows.E002", "negative"),
        ({"STORE": "nowhere.Store"}, "thankyou_flows.E003", "OscarStore"),
        ({"STORE": "datetime.datetime"}, "thankyou_flows.E003", "OscarStore"),
        ({"STORE": "thankyou_flows.values.Order"}, "thankyou_flows.E003", "OscarStore"),
    ],
)
def test_a_wrong_setting_is_named_with_its_fix(given: dict[str, Any], check_id: str, words: str) -> None:
    with override_settings(THANKYOU_FLOWS=given):
        assert words in found(check_id).hint


def test_a_setting_that_is_no_dict() -> None:
    with override_settings(THANKYOU_FLOWS="thankyou_flows.stores.oscar.OscarStore"):
        assert "thankyou_flows.E002" in ids()


def test_missing_urls() -> None:
    urls = types.ModuleType("no_urls")
    urls.urlpatterns = []  # type: ignore[attr-defined]
    sys.modules["no_urls"] = urls
    with override_settings(ROOT_URLCONF="no_urls"):
        assert "include(" in found("thankyou_flows.E004").hint


def test_a_package_of_the_same_name_is_named_with_both_paths(monkeypatch: Any) -> None:
    import coupons

    monkeypatch.setattr(coupons, "DISTRIBUTION", "another")
    message = found("thankyou_flows.E005")
    assert str(coupons.__file__) in message.msg
    assert message.msg.count("coupons") >= 3


def test_missing_templates(settings: Any) -> None:
    template_settings = {**settings.TEMPLATES[0], "DIRS": [], "APP_DIRS": False}
    with override_settings(TEMPLATES=[template_settings]):
        assert "APP_DIRS" in found("thankyou_flows.E006").hint


@pytest.mark.parametrize(("ours", "theirs", "warns"), [(1, 1, False), (1, None, True), (None, 2, True), (1, 2, True)])
def test_two_numbers_of_proxies(settings: Any, ours: int | None, theirs: int | None, warns: bool) -> None:
    """TY-9, CO-7: both apps limit by address, so both must know the proxies."""
    for name, number in (("THANKYOU_FLOWS", ours), ("THANKYOU_COUPONS", theirs)):
        rest = {key: value for key, value in getattr(settings, name).items() if key != "TRUSTED_PROXIES"}
        setattr(settings, name, rest if number is None else {**rest, "TRUSTED_PROXIES": number})
    assert ("thankyou_flows.W003" in ids()) is warns
