"""The dates of a campaign: typed and shown as the time on a wall clock in its zone (CD-7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from coupons.admin.dates import is_real, to_instant, to_wall, zone_choices
from coupons.models import Campaign
from tests.test_coupons.factories import make_campaign, make_coupon
from tests.test_coupons.test_admin import ADD, post_data
from tests.test_coupons.test_campaign_form import edit_url, errors, saved

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("owner"))
    return client


@pytest.mark.parametrize(
    ("zone", "wall", "begin", "end"),
    [
        ("Europe/Berlin", "2026-05-01T08:00", "2026-05-01T06:00", "2026-05-01T06:00"),
        ("Europe/Berlin", "2026-03-29T01:59", "2026-03-29T00:59", "2026-03-29T00:59"),
        ("Europe/Berlin", "2026-03-29T02:00", None, None),
        ("Europe/Berlin", "2026-03-29T02:59", None, None),
        ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-10-25T01:59", "2026-10-24T23:59", "2026-10-24T23:59"),
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30", "2026-10-25T01:30"),
        ("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00", "2026-10-25T02:00"),
        ("America/New_York", "2026-03-08T02:30", None, None),
        ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30", "2026-11-01T06:30"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", None, None),
        ("Australia/Lord_Howe", "2026-10-04T02:30", "2026-10-03T15:30", "2026-10-03T15:30"),
        ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45", "2026-04-04T15:15"),
        ("Asia/Kathmandu", "2026-10-25T02:30", "2026-10-24T20:45", "2026-10-24T20:45"),
        ("Pacific/Kiritimati", "2026-01-01T00:00", "2025-12-31T10:00", "2025-12-31T10:00"),
    ],
)
def test_a_time_on_the_wall_is_one_instant(zone: str, wall: str, begin: str | None, end: str | None) -> None:
    """CD-7: of two equal hours a beginning is the first and an end the second; what clocks leave out does not exist."""
    local, info = datetime.fromisoformat(wall), ZoneInfo(zone)
    assert is_real(local, info) == (begin is not None)
    if begin is None or end is None:
        with pytest.raises(ValueError, match="does not exist"):
            to_instant(local, info, ends=False)
        return
    assert to_instant(local, info, ends=False) == datetime.fromisoformat(begin).replace(tzinfo=UTC)
    assert to_instant(local, info, ends=True) == datetime.fromisoformat(end).replace(tzinfo=UTC)
    assert to_wall(to_instant(local, info, ends=True), info) == local


def test_a_day_is_a_day_across_the_switch() -> None:
    """CD-7: personal deadlines are durations: 24 hours stay 24 hours in the night the clocks change."""
    issued = datetime(2026, 10, 24, 18, 0, tzinfo=UTC)
    coupon = make_coupon(now=issued, deadline_minutes=24 * 60)
    assert coupon.ends_at == issued + timedelta(hours=24)
    assert to_wall(coupon.ends_at, ZoneInfo("Europe/Berlin")) == datetime(2026, 10, 25, 19, 0)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu", "Pacific/Kiritimati", "America/New_York"])
def test_dates_are_typed_and_shown_in_the_campaigns_zone(owner: Client, zone: str) -> None:
    """CD-7: whatever the zone of the site is."""
    data = post_data(zone=zone, starts_at="2026-05-01 08:00", ends_at="2026-10-25 02:30")
    with timezone.override("America/Sao_Paulo"):
        assert saved(owner.post(reverse(ADD), data))
        campaign = Campaign.objects.get()
        info = ZoneInfo(zone)
        assert campaign.starts_at == datetime(2026, 5, 1, 8, tzinfo=info).astimezone(UTC)
        assert campaign.ends_at == datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=info).astimezone(UTC)
        page = owner.get(edit_url(campaign)).content.decode()
    assert 'value="2026-05-01 08:00"' in page
    assert 'value="2026-10-25 02:30"' in page


@pytest.mark.parametrize("field", ["starts_at", "ends_at"])
def test_a_time_that_clocks_leave_out_is_refused_beside_its_field(owner: Client, field: str) -> None:
    """CD-7."""
    found = errors(owner.post(reverse(ADD), post_data(**{field: "2026-03-29 02:30"})))
    assert list(found) == [field]
    assert "put forward" in found[field][0]


def test_what_nobody_touched_stays_the_same_instant(owner: Client) -> None:
    """CD-3: saving a title does not move an end by its seconds, nor to the other one of two equal hours."""
    end = datetime(2026, 10, 25, 0, 30, 17, tzinfo=UTC)
    campaign = make_campaign(ends_at=end)
    data = post_data(title="New", ends_at="2026-10-25 02:30")
    assert saved(owner.post(edit_url(campaign), data))
    campaign.refresh_from_db()
    assert (campaign.title, campaign.ends_at) == ("New", end)


@pytest.mark.parametrize("zone", ["", "Europe/Atlantis", "../../etc/passwd", "x" * 5000])
def test_a_zone_that_is_none_is_refused(owner: Client, zone: str) -> None:
    """CD-7: one message beside the zone, none about dates that say nothing without it."""
    found = errors(owner.post(reverse(ADD), post_data(zone=zone, ends_at="2026-05-01 08:00")))
    assert list(found) == ["zone"]


def test_zones_are_places_and_an_odd_one_stays() -> None:
    """CD-7."""
    names = [name for name, _title in zone_choices("US/Pacific")]
    assert {"Europe/Berlin", "UTC", "US/Pacific"} <= set(names)
    assert "Etc/GMT+5" not in names
    assert "US/Eastern" not in names
