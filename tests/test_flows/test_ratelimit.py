"""Whose attempts are limited on the thank-you pages; the counting is tested with ``coupons.ratelimit``."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from thankyou_flows.ratelimit import client_ip


def ip(forwarded: str) -> str:
    return client_ip(RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": forwarded}))


def test_a_spoofed_header_changes_nothing() -> None:
    """TY-9: without a configured proxy, X-Forwarded-For is only what somebody typed."""
    assert ip("203.0.113.9") == "192.0.2.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "visitor"),
    [(1, "6.6.6.6, 203.0.113.9", "203.0.113.9"), (2, "203.0.113.9", "192.0.2.1")],
)
def test_the_proxies_of_the_settings(settings: Any, proxies: int, forwarded: str, visitor: str) -> None:
    """TY-9: ``THANKYOU_FLOWS["TRUSTED_PROXIES"]`` says how many entries were written by proxies of ours."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "TRUSTED_PROXIES": proxies}
    assert ip(forwarded) == visitor
