"""Money, times and placeholders as customers read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation
from djmoney.money import Money
from hypothesis import given
from hypothesis import strategies as st

from thankyou_flows.flow import Flow
from thankyou_flows.texts import fill_placeholders, format_deadline, format_money, format_remaining

from .conftest import make_order

NOON = datetime(2026, 3, 28, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "currency", "written"),
    [
        ("en", "EUR", "€4.90"),
        ("de", "EUR", "4,90\xa0€"),
        ("en", "JPY", "¥5"),
        ("ar", "EUR", None),
        ("xx", "EUR", "€4.90"),
    ],
)
def test_money_is_written_in_the_customers_way(language: str, currency: str, written: str | None) -> None:
    with translation.override(language):
        text = format_money(Money("4.90", currency))
    assert text
    assert written is None or text == written


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Europe/Berlin", "14:00 today (CET)"),
        ("America/New_York", "09:00 today (EDT)"),
        ("Asia/Kathmandu", "18:45 today (UTC+05:45)"),
        ("Pacific/Kiritimati", "03:00 today (UTC+14:00)"),
    ],
)
def test_a_deadline_names_its_zone(zone: str, words: str) -> None:
    """CD-6, CD-7."""
    with timezone.override(zone), translation.override("en-gb"):
        assert format_deadline(NOON + timedelta(hours=1), now=NOON) == words


def test_a_day_that_is_an_hour_short_is_still_told_right() -> None:
    """CD-7: 24 hours over the night in which clocks change in Berlin."""
    with timezone.override("Europe/Berlin"), translation.override("en-gb"):
        assert format_deadline(NOON + timedelta(hours=24), now=NOON) == "14:00 tomorrow (CEST)"
        assert format_deadline(NOON + timedelta(days=9), now=NOON) == "Monday, 6 April 2026, 14:00 (CEST)"


@given(seconds=st.floats(min_value=-1e6, max_value=1e7))
def test_what_is_left_is_never_more_than_the_truth(seconds: float) -> None:
    """CD-2: rounded down."""
    import re

    with translation.override("en"):
        text = format_remaining(NOON + timedelta(seconds=seconds), now=NOON)
    hours = re.search(r"(\d+) h", text)
    minutes = re.search(r"(\d+) min", text)
    told = 3600 * int(hours[1] if hours else 0) + 60 * int(minutes[1] if minutes else 0)
    assert told <= max(0, seconds) + 1e-6
    assert max(0, seconds) - told < 60


@pytest.mark.parametrize(
    ("text", "name", "filled"),
    [
        ("Thank you, {first_name}", "Ana", "Thank you, Ana"),
        ("Thank you, {first_name}", "", "Thank you"),
        ("{first_name}, thank you", "", "Thank you"),
        ("{first_name}: {order_number}", "", "T-1001"),
        ("<p>Hello, <b>{first_name}</b>,</p>", "", "<p>Hello<b></b>,</p>"),
        ("<p>{first_name}, welcome</p>", "", "<p>Welcome</p>"),
        ("Hi {first_name}: {order_number}", "{order_number}", "Hi {order_number}: T-1001"),
        ("{settings.SECRET_KEY} {{ x }} {% y %}", "Ana", "{settings.SECRET_KEY} {{ x }} {% y %}"),
    ],
)
def test_placeholders_are_filled_once_and_nothing_is_evaluated(text: str, name: str, filled: str) -> None:
    """EM-8."""
    assert fill_placeholders(text, Flow(order=make_order(first_name=name))) == filled
