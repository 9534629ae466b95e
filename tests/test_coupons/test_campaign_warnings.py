"""What the campaign's form says after saving, and about numbers and words that make no sense."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from coupons.issuing import issue
from coupons.models import Campaign, Coupon
from coupons.registration import welcome
from tests.test_coupons.factories import make_campaign
from tests.test_coupons.test_admin import ADD, post_data
from tests.test_coupons.test_campaign_form import edit_url, errors, saved

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("owner"))
    return client


def warnings_of(response: Any) -> list[str]:
    assert saved(response)
    said = [str(message) for message in get_messages(response.wsgi_request) if "warning" in message.level_tag]
    # Read, as the next page would do.
    response.client.cookies.pop("messages", None)
    return said


def test_a_campaign_that_is_over_before_it_runs_is_told(owner: Client) -> None:
    """It may be meant, and does nothing."""
    over = post_data(ends_at="2020-05-01 08:00")
    [text] = warnings_of(owner.post(reverse(ADD), over))
    assert "has passed" in text
    assert warnings_of(owner.post(reverse(ADD), over | {"title": "B", "status": "ended"})) == []
    assert warnings_of(owner.post(reverse(ADD), post_data(title="C", ends_at="2999-12-31 23:59"))) == []


def test_an_earlier_end_says_whose_time_it_cuts(owner: Client) -> None:
    """The owner can always stop; that customers were told another end is said, and not refused."""
    now = timezone.now().replace(second=0, microsecond=0)
    soon, later = now + timedelta(days=2), now + timedelta(days=9)
    campaign = make_campaign(ends_at=later, zone="UTC")
    for _number in range(3):
        issue(campaign=campaign)
    # Whose time is over before, who has used it, and who cannot use it any more, loses nothing.
    Coupon.objects.filter(pk=issue(campaign=campaign).pk).update(ends_at=soon - timedelta(days=1))
    Coupon.objects.filter(pk=issue(campaign=campaign).pk).update(used=1)
    Coupon.objects.filter(pk=issue(campaign=campaign).pk).update(state="revoked")

    def save(end: datetime | None, **changes: Any) -> list[str]:
        ends_at = "" if end is None else f"{end:%Y-%m-%d %H:%M}"
        return warnings_of(owner.post(edit_url(campaign), post_data(zone="UTC", ends_at=ends_at, **changes)))

    [text] = save(soon)
    assert text.startswith("3 coupons that are out")
    assert save(soon) == [], "said once"
    assert save(None) == []
    assert len(save(later)) == 1
    assert save(soon, status="ended") == []


def test_of_several_that_are_offered_the_newest_is_named(owner: Client) -> None:
    """CO-9: whoever registers gets one coupon."""
    offered = post_data(offer_after_registration="on")
    assert warnings_of(owner.post(reverse(ADD), offered)) == []
    [text] = warnings_of(owner.post(reverse(ADD), offered | {"title": "The second"}))
    assert "“The second”" in text
    [text] = warnings_of(owner.post(edit_url(Campaign.objects.get(title="Thanks")), offered))
    assert "“The second”" in text
    assert warnings_of(owner.post(reverse(ADD), offered | {"title": "Draft", "status": "draft"})) == []


@pytest.mark.parametrize("value", ["-1", "0"])
def test_a_limit_below_one_has_one_kind_message(owner: Client, value: str) -> None:
    """The same words for each number that is none."""
    names = ["total_limit", "limit_per_customer", "uses_per_coupon", "deadline_minutes"]
    found = errors(owner.post(reverse(ADD), post_data(**dict.fromkeys(names, value))))
    assert sorted(found) == sorted(names)
    for name in names:
        [text] = found[name]
        assert text.startswith("Enter ")
        assert " 1 " in text
        assert "equal" not in text


def test_a_public_word_is_not_offered_to_whoever_registers(owner: Client) -> None:
    """CO-8, CO-9: it has no coupon to give to somebody, and would stand in the way of one that has."""
    data = post_data(code_type="word", word="SPRINGTEA", limit_per_customer="1", offer_after_registration="on")
    response = owner.post(reverse(ADD), data)
    found = errors(response)
    assert list(found) == ["offer_after_registration"]
    assert "registers" in found["offer_after_registration"][0]
    single = make_campaign(offer_after_registration=True)
    make_campaign(offer_after_registration=True, code_type="word", word="SPRINGTEA", total_limit=5)
    coupon = welcome(user_key="u:7")
    assert coupon is not None
    assert coupon.campaign == single


def test_starting_says_what_saving_would_say(owner: Client) -> None:
    """The button of the overview and the form are one door."""
    campaign = make_campaign(status="draft", ends_at=datetime(2020, 5, 1, tzinfo=UTC))
    response = owner.post(reverse("thankyou_coupons_campaign:switch", args=[campaign.pk, "running"]))
    [text] = map(str, get_messages(response.wsgi_request))
    assert "has passed" in text, "and not that it is running"
