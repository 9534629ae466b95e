"""When a mail is due: in the customer's own zone, whatever the clocks do (EM-12)."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from thankyou_flows.followups.planning import due_at
from thankyou_flows.followups.triggers import COUPON_EXPIRING, ORDER_PAID
from thankyou_flows.followups.zones import zone_of_country, zone_of_order
from thankyou_flows.models import FollowUpStep
from thankyou_flows.values import Address

from .conftest import at, make_order

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("happened", "zone", "wall_time", "due"),
    [
        pytest.param("2026-03-02T12:00+00:00", "Europe/Vienna", None, "2026-03-03T12:00+00:00", id="any time"),
        pytest.param("2026-03-02T08:00+00:00", "Europe/Vienna", time(10), "2026-03-03T09:00+00:00", id="same day"),
        pytest.param("2026-03-02T09:00+00:00", "Europe/Vienna", time(10), "2026-03-03T09:00+00:00", id="at once"),
        pytest.param("2026-03-02T09:01+00:00", "Europe/Vienna", time(10), "2026-03-04T09:00+00:00", id="next day"),
        pytest.param("2026-03-02T02:00+00:00", "America/Los_Angeles", time(10), "2026-03-03T18:00+00:00", id="west"),
        pytest.param("2026-03-02T12:00+00:00", "Asia/Tokyo", time(10), "2026-03-04T01:00+00:00", id="east"),
        pytest.param("2026-03-02T08:00+00:00", "", time(10), "2026-03-03T09:00+00:00", id="shop's own zone"),
        pytest.param("2026-03-02T08:00+00:00", "Mars/Base", time(10), "2026-03-03T09:00+00:00", id="no such zone"),
        # 29 March: clocks in Vienna skip from 2 to 3. 25 October: they show 2 to 3 twice.
        pytest.param("2026-03-28T00:30+00:00", "Europe/Vienna", time(2, 30), "2026-03-29T01:30+00:00", id="skipped"),
        pytest.param("2026-03-27T20:00+00:00", "Europe/Vienna", time(10), "2026-03-29T08:00+00:00", id="into summer"),
        pytest.param(
            "2026-10-24T00:00+00:00", "Europe/Vienna", time(2, 30), "2026-10-25T00:30+00:00", id="twice, first"
        ),
        pytest.param(
            "2026-10-24T00:40+00:00", "Europe/Vienna", time(2, 30), "2026-10-25T01:30+00:00", id="twice, second"
        ),
    ],
)
def test_a_mail_is_due_at_its_time_of_day_in_the_customers_zone(
    happened: str, zone: str, wall_time: time | None, due: str
) -> None:
    """EM-12: the first such time at or after the delay, whatever the clocks do."""
    step = FollowUpStep(delay=1, delay_unit="days", at_time=wall_time)
    assert due_at(step, happened_at=at(happened), time_zone=zone, trigger=ORDER_PAID) == at(due)


@pytest.mark.parametrize(
    ("end", "wall_time", "due"),
    [
        pytest.param("2026-03-10T22:59+00:00", None, "2026-03-09T22:59+00:00", id="any time"),
        pytest.param("2026-03-10T22:59+00:00", time(10), "2026-03-09T09:00+00:00", id="same day"),
        pytest.param("2026-03-10T09:00+00:00", time(10), "2026-03-09T09:00+00:00", id="at once"),
        pytest.param("2026-03-10T08:59+00:00", time(10), "2026-03-08T09:00+00:00", id="day before"),
        pytest.param("2026-10-26T00:40+00:00", time(2, 30), "2026-10-25T00:30+00:00", id="twice, first"),
        pytest.param("2026-10-26T01:40+00:00", time(2, 30), "2026-10-25T01:30+00:00", id="twice, second"),
    ],
)
def test_before_an_end_it_is_never_later_than_the_delay(end: str, wall_time: time | None, due: str) -> None:
    """EM-12: of what ends, the last such time at or before."""
    step = FollowUpStep(delay=1, delay_unit="days", at_time=wall_time)
    assert due_at(step, happened_at=at(end), time_zone="Europe/Vienna", trigger=COUPON_EXPIRING) == at(due)


def test_a_delay_is_a_length_of_time_and_no_game_of_clocks() -> None:
    """EM-12: a day that begins in Vienna's winter and ends in its summer has 24 hours."""
    from zoneinfo import ZoneInfo

    step = FollowUpStep(delay=1, delay_unit="days")
    vienna = datetime(2026, 3, 28, 12, tzinfo=ZoneInfo("Europe/Vienna"))
    assert due_at(step, happened_at=vienna, time_zone="", trigger=ORDER_PAID) == datetime(2026, 3, 29, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("country", "zone"),
    [("SI", "Europe/Ljubljana"), ("at", "Europe/Vienna"), ("DE", "Europe/Berlin"), ("US", ""), ("", ""), ("XX", "")],
)
def test_a_country_names_a_zone_only_if_all_its_clocks_agree(country: str, zone: str) -> None:
    """EM-12: quiet hours are in the customer's own zone, where that is beyond doubt."""
    assert zone_of_country(country) == zone


def test_the_order_knows_its_zone_better_than_its_country() -> None:
    """EM-12: what the shop says counts; what is no zone does not."""
    assert zone_of_order(make_order(time_zone="Asia/Tokyo")) == "Asia/Tokyo"
    assert zone_of_order(make_order(time_zone="Nowhere")) == "Europe/Ljubljana"
    assert zone_of_order(make_order(shipping_address=Address(country="US"))) == ""
    assert zone_of_order(make_order(shipping_address=None)) == ""
