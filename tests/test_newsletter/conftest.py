"""What the tests of sign-ups need: a shop in memory, a clock, and somebody who asks for a newsletter."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from coupons.models import Campaign
from tests.test_flows.conftest import ask, clock, dummy_store, make_page
from thankyou_flows.models import MailingList

__all__ = ["ask", "clock", "dummy_store", "make_page"]


@pytest.fixture
def recipes(db: Any) -> MailingList:
    """A second list."""
    return MailingList.objects.create(
        slug="recipes", title="Recipes", purpose="What to cook with it.", promise="Once a month."
    )


@pytest.fixture
def campaign(db: Any) -> Campaign:
    """Ten percent for a sign-up."""
    return Campaign.objects.create(
        title="Welcome",
        status=Campaign.Status.RUNNING,
        benefit=Campaign.Benefit.PERCENT,
        percent=Decimal(10),
        terms="Not on gift cards.",
    )


@pytest.fixture
def newsletter(campaign: Campaign) -> MailingList:
    """The shop's list, which thanks with a coupon."""
    return MailingList.objects.create(
        slug="newsletter", title="Letters", purpose="What is new.", promise="Twice a month.", incentive=campaign
    )


@pytest.fixture
def press(client: Any, django_capture_on_commit_callbacks: Any) -> Any:
    """Return a function that presses the button behind the link of a mail, and returns the page."""
    from tests.test_flows.newsletter_tools import link_in

    def press(message: Any) -> str:
        with django_capture_on_commit_callbacks(execute=True):
            response = client.post(link_in(message))
        assert response.status_code == 200
        return str(response.content.decode())

    return press
