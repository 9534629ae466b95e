"""What a campaign's fields must be together, what it promises, and the times of its owner."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from djmoney.money import Money

from coupons.issuing import issue
from coupons.models import Campaign
from coupons.redemption import reserve
from tests.test_coupons.factories import NOW, make_campaign, make_coupon, make_facts

pytestmark = pytest.mark.django_db

WORD = {"code_type": "word", "word": "SPRING10", "total_limit": 500}


def errors_of(campaign: Campaign) -> dict[str, list[str]]:
    """Return the messages of a full validation, as a form would show them."""
    try:
        campaign.full_clean()
    except ValidationError as error:
        return error.message_dict
    return {}


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"benefit": "percent"}, "percent", "Enter a percentage"),
        ({"benefit": "percent", "percent": Decimal("0")}, "percent", "Enter a percentage"),
        ({"benefit": "amount"}, "amount", "Enter the amount"),
        ({"benefit": "amount", "amount": Money("1.005", "EUR")}, "amount", "finer than"),
        ({"benefit": "amount", "amount": Money("1.5", "JPY")}, "amount", "finer than"),
        ({"benefit": "free_product"}, "free_product_ref", "Choose the product"),
        ({"benefit": "free_product", "free_product_ref": "  "}, "free_product_ref", "Choose the product"),
        ({"minimum_spend": Money(0, "EUR")}, "minimum_spend", "above 0"),
        ({"minimum_spend": Money("9.999", "EUR")}, "minimum_spend", "finer than"),
        ({"currency": "EURO"}, "currency", ""),
        ({"currency": "QQQ"}, "currency", "three letters"),
        ({"benefit": "amount", "amount": Money(5, "EUR"), "currency": "CHF"}, "currency", "amount is in EUR"),
        (
            {"benefit": "amount", "amount": Money(5, "EUR"), "minimum_spend": Money(30, "CHF")},
            "minimum_spend",
            "minimum in EUR",
        ),
        ({"currency": "EUR", "minimum_spend": Money(30, "CHF")}, "minimum_spend", "minimum in EUR"),
        ({"starts_at": NOW, "ends_at": NOW}, "ends_at", "after the beginning"),
        ({"zone": "Europe/Nowhere"}, "zone", "time zone by its name"),
        ({"zone": "../etc/passwd"}, "zone", "time zone by its name"),
        ({"zone": "Europe"}, "zone", "time zone by its name"),
        ({"products_in": ["a", "b"], "products_out": ["b"]}, "products_out", "A product cannot be let in"),
        ({"categories_in": ["tea"], "categories_out": ["tea"]}, "categories_out", "A category cannot be let in"),
        ({"products_in": {"a": 1}}, "products_in", "from the list"),
        ({"products_out": [1]}, "products_out", "from the list"),
        ({"countries": ["Germany"]}, "countries", "two letters"),
        ({"countries": ["QQ"]}, "countries", "two letters"),
        ({"countries": "DE"}, "countries", "from the list"),
        ({"total_limit": 0}, "total_limit", ""),
        ({"limit_per_customer": 0}, "limit_per_customer", ""),
        ({"word": "SPRING10"}, "word", "Single codes need no word"),
        ({**WORD, "word": ""}, "word", "Enter the word"),
        ({**WORD, "word": "AB"}, "word", "3 to 24"),
        ({**WORD, "word": "GRÜN"}, "word", "letters from A to Z"),
        ({**WORD, "word": "SUMMERTIME27"}, "word", "mistyped single code"),
        ({**WORD, "personal": True}, "personal", "belongs to everybody"),
        ({**WORD, "deadline_minutes": 60}, "deadline_minutes", "one end for everybody"),
        ({**WORD, "total_limit": None}, "total_limit", "Anybody can guess a word"),
    ],
)
def test_what_does_not_go_together_is_said_beside_the_field(changes: dict[str, Any], field: str, says: str) -> None:
    """CO-8, CD-7: one message, beside the field that can be mended."""
    errors = errors_of(Campaign(title="x", **changes))
    assert list(errors) == [field]
    assert len(errors[field]) == 1
    assert says in errors[field][0]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"benefit": "percent", "percent": Decimal("12.5")},
        {"benefit": "amount", "amount": Money(5, "EUR"), "minimum_spend": Money(30, "EUR"), "currency": "EUR"},
        {"benefit": "amount", "amount": Money(500, "JPY"), "currency": "jpy"},
        {"benefit": "amount", "amount": Money("1.005", "KWD")},
        {"benefit": "percent", "percent": 10, "amount": Money(5, "CHF"), "minimum_spend": Money(30, "EUR")},
        {"benefit": "free_product", "free_product_ref": "cup", "products_in": ["tea"]},
        {"products_in": ["a"], "products_out": ["b"], "countries": ["DE", "CH"], "zone": "Australia/Lord_Howe"},
        WORD,
        {**WORD, "total_limit": None, "limit_per_customer": 1},
        {**WORD, "total_limit": None, "is_unlimited": True},
    ],
)
def test_what_goes_together(changes: dict[str, Any]) -> None:
    """CO-8: a word has a limit, or the owner has ticked that it needs none."""
    campaign = Campaign(title="x", **changes)
    assert errors_of(campaign) == {}
    campaign.save()
    assert errors_of(Campaign.objects.get(pk=campaign.pk)) == {}


def test_a_word_is_tidied_and_unique_in_every_spelling() -> None:
    """CO-5, CO-8: taken by another campaign, or by a code that is out; its own is no rival."""
    campaign = Campaign(title="x", **{**WORD, "word": " spring10 "})
    assert errors_of(campaign) == {}
    assert campaign.word == "SPRING10"
    campaign.save()
    assert errors_of(campaign) == {}
    assert "taken" in errors_of(Campaign(title="y", **{**WORD, "word": "SPRlNG1O"}))["word"][0]
    single = make_coupon()
    assert "word" in errors_of(Campaign(title="y", **{**WORD, "word": single.code}))


@pytest.mark.parametrize(
    ("before", "changes", "field"),
    [
        ({"benefit": "percent", "percent": 10}, {"percent": Decimal(5)}, "benefit"),
        ({"benefit": "percent", "percent": 10}, {"benefit": "free_shipping"}, "benefit"),
        ({"benefit": "amount", "amount": Money(5, "EUR")}, {"amount": Money(5, "USD")}, "benefit"),
        ({"benefit": "free_product", "free_product_ref": "cup"}, {"free_product_ref": "spoon"}, "benefit"),
        ({}, {"minimum_spend": Money(30, "EUR")}, "minimum_spend"),
        ({"minimum_spend": Money(30, "EUR")}, {"minimum_spend": Money(31, "EUR")}, "minimum_spend"),
        ({}, {"products_in": ["a"]}, "products_in"),
        ({}, {"products_out": ["a"]}, "products_out"),
        ({}, {"categories_in": ["a"]}, "categories_in"),
        ({}, {"categories_out": ["a"]}, "categories_out"),
        ({}, {"audience": "first"}, "audience"),
        ({}, {"countries": ["DE"]}, "countries"),
        ({}, {"currency": "EUR"}, "currency"),
        ({}, {"limit_per_customer": 1}, "limit_per_customer"),
        ({}, {"combinable": False}, "combinable"),
        ({}, {"personal": True}, "personal"),
        ({}, {"code_type": "word", "word": "SPRING10", "total_limit": 5}, "code_type"),
    ],
)
def test_a_promise_that_is_out_is_kept(before: dict[str, Any], changes: dict[str, Any], field: str) -> None:
    """What a customer holds keeps its worth and its conditions; before the first coupon is out all may change."""
    campaign = make_campaign(**before)
    for name, value in changes.items():
        setattr(campaign, name, value)
    assert errors_of(campaign) == {}
    issue(campaign=Campaign.objects.get(pk=campaign.pk), now=NOW)
    errors = errors_of(campaign)
    assert list(errors) == [field]
    assert "already out" in errors[field][0]


def test_what_may_change_while_coupons_are_out() -> None:
    """The name, the dates, the status, how many are used in all; and the same said in another way."""
    campaign = make_campaign(
        benefit="percent",
        percent=10,
        products_in=["a", "b"],
        minimum_spend=Money("30.00", "EUR"),
        countries=["DE", "AT"],
    )
    issue(campaign=campaign, now=NOW)
    campaign = Campaign.objects.get()
    campaign.title, campaign.status, campaign.ends_at, campaign.total_limit = "y", "paused", NOW, 10
    campaign.percent, campaign.minimum_spend = Decimal("10.00"), Money(30, "EUR")
    campaign.products_in, campaign.countries = ["b", "a"], ["AT", "DE"]
    campaign.amount = Money(5, "EUR")
    assert errors_of(campaign) == {}


def test_a_word_promises_nothing_until_it_is_used() -> None:
    """CO-8: its benefit may change at any time; once an order has used it, it stays a word."""
    campaign = make_campaign(**WORD)
    campaign.benefit, campaign.percent, campaign.word = "percent", Decimal(10), "AUTUMN"
    assert errors_of(campaign) == {}
    campaign.save()
    reserve(code="autumn", order_ref="1", facts=make_facts(), now=NOW)
    campaign.percent = Decimal(20)
    assert errors_of(campaign) == {}
    campaign.code_type, campaign.word = "single", ""
    assert list(errors_of(campaign)) == ["code_type"]


def test_the_same_number_of_queries_whatever_is_wrong(django_assert_num_queries: Any) -> None:
    """Saving a campaign's form compares it with its row, and asks for coupons only if something has changed."""
    campaign = make_campaign()
    with django_assert_num_queries(1):
        campaign.clean()
    campaign.personal = True
    with django_assert_num_queries(2):
        campaign.clean()


def test_headlines() -> None:
    """What it gives, in the customer's language; of a free product the catalogue knows the name, not we."""
    with translation.override("en"):
        assert Campaign(benefit="free_product", free_product_ref="cup").headline == "A product for free"
        assert Campaign(benefit="amount", amount=Money("1.250", "KWD")).headline == "KWD1.250 off"
    with translation.override("xx"):
        assert Campaign(benefit="percent", percent=Decimal(10)).headline == "10% off"


def test_times_in_the_owners_zone() -> None:
    """CD-7: an instant is read in the campaign's zone, on both sides of the clock change."""
    campaign = Campaign(zone="Europe/Berlin")
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert [campaign.local(moment).strftime("%H:%M %Z") for moment in (first, second)] == ["02:30 CEST", "02:30 CET"]
    assert campaign.local(first).tzinfo == campaign.tzinfo == ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"status": "running"}, "Running"),
        ({"status": "running", "ends_at": timedelta(days=-1)}, "Running (over)"),
        ({"status": "running", "starts_at": timedelta(days=1)}, "Running (not begun yet)"),
        ({"status": "paused", "ends_at": timedelta(days=-1)}, "Paused"),
    ],
)
def test_the_status_as_it_is_now(changes: dict[str, Any], label: str) -> None:
    """One that is switched on does nothing before its beginning and after its end."""
    now = datetime.now(tz=UTC)
    values = {name: now + value if isinstance(value, timedelta) else value for name, value in changes.items()}
    assert Campaign(**values).status_label == label
