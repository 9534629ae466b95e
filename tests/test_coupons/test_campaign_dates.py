"""The dates of a campaign: typed and shown as the time on a wall clock in its zone (CD-7)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from wagtail.users.models import UserProfile

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


def test_a_new_campaign_is_in_the_zone_of_the_site(owner: Client) -> None:
    """CD-7: or in the one that the member of staff has chosen; a stored one stays."""
    with override_settings(TIME_ZONE="Asia/Kathmandu"):
        assert zone_of(owner.get(reverse(ADD))) == "Asia/Kathmandu"
        UserProfile.objects.create(user=User.objects.get(), current_time_zone="US/Pacific")
        assert zone_of(owner.get(reverse(ADD))) == "US/Pacific", "also one that is no place"
        assert zone_of(owner.get(edit_url(make_campaign(zone="Europe/Lisbon")))) == "Europe/Lisbon"


def zone_of(page: Any) -> str:
    """Return the zone that is chosen on a page with the campaign's form."""
    found = re.search(r'<select name="zone".*?</select>', page.content.decode(), re.DOTALL)
    assert found, "there is no field for the zone"
    [chosen] = re.findall(r'<option value="([^"]*)" selected', found[0])
    return str(chosen)


@pytest.mark.parametrize("field", ["starts_at", "ends_at"])
@pytest.mark.parametrize(
    ("zone", "wall"),
    [
        ("America/New_York", "9999-12-31 23:59"),
        ("Asia/Kathmandu", "0001-01-01 00:00"),
        ("UTC", "1999-12-31 23:59"),
        ("UTC", "3000-01-01 00:00"),
    ],
)
def test_a_year_that_nobody_means_is_refused_beside_its_field(owner: Client, field: str, zone: str, wall: str) -> None:
    """What was typed stays."""
    page = owner.post(reverse(ADD), post_data(**{"zone": zone, field: wall}))
    found = errors(page)
    assert list(found) == [field]
    assert "2000 to 2999" in found[field][0]
    assert wall in page.content.decode()


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "Pacific/Kiritimati"])
def test_the_last_years_that_are_taken(owner: Client, zone: str) -> None:
    """No zone moves them out of the calendar."""
    dates = {"starts_at": "2000-01-01 00:00", "ends_at": "2999-12-31 23:59"}
    assert saved(owner.post(reverse(ADD), post_data(zone=zone, **dates)))
    page = owner.get(edit_url(Campaign.objects.get())).content.decode()
    assert all(f'value="{date}"' in page for date in dates.values())


@pytest.mark.parametrize(("zone", "year"), [("Asia/Tokyo", 9999), ("America/New_York", 1)])
def test_what_is_stored_can_be_shown_whatever_it_is(owner: Client, zone: str, year: int) -> None:
    """Rows that no form has checked, of a date that the zone has not."""
    moment = datetime(9999, 12, 31, 23, 59, tzinfo=UTC) if year == 9999 else datetime(1, 1, 1, tzinfo=UTC)
    campaign = make_campaign(zone=zone, **{"ends_at" if year == 9999 else "starts_at": moment})
    assert campaign.local(moment) == moment
    assert owner.get(edit_url(campaign)).status_code == 200
    assert owner.get(reverse("thankyou_coupons_campaign:inspect", args=[campaign.pk])).status_code == 200
    assert owner.get(reverse("thankyou_coupons_campaign:index")).status_code == 200
