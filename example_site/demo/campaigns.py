"""The demo's campaigns: what its thank-you pages can promise. Shared by the example shop and the Oscar demo."""

from __future__ import annotations

from decimal import Decimal

from djmoney.money import Money

from coupons.models import Campaign, Question

FREE_SHIPPING = "Free shipping within the hour"
TEN_PERCENT = "10 % off the next order"
FIVE_EURO = "5 € off"
TASTE = "15 % off for three answers"
SPRING = "SPRING10 for everybody"
WELCOME = "2 € for the letter"

#: What the shop would like to know, why, and for how many days it keeps the answer.
QUESTIONS = [
    {
        "label": "Which tea do you drink most?",
        "field_type": Question.FieldType.RADIO,
        "choices": "Black\nGreen\nHerbal\nA bit of everything",
        "purpose": "So that we suggest teas you will like.",
        "keep_days": 365,
    },
    {
        "label": "How do you make it?",
        "field_type": Question.FieldType.CHECKBOXES,
        "choices": "In a pot\nIn the mug\nOver ice",
        "purpose": "So that we buy the teaware you can use.",
        "keep_days": 365,
    },
    {
        "label": "What do you miss on our shelves?",
        "field_type": Question.FieldType.SINGLELINE,
        "required": False,
        "purpose": "We read every answer before we order in.",
        "keep_days": 180,
    },
]


def load_campaigns() -> None:
    """What the thank-you pages can promise."""
    for title, values in {
        FREE_SHIPPING: {
            "benefit": Campaign.Benefit.FREE_SHIPPING,
            "deadline_minutes": 60,
            "terms": "For one more order, anywhere we deliver.",
        },
        TEN_PERCENT: {
            "benefit": Campaign.Benefit.PERCENT,
            "percent": Decimal(10),
            "deadline_minutes": 43_200,
            "terms": "For one order within 30 days, on everything in the shop.",
        },
        FIVE_EURO: {
            "benefit": Campaign.Benefit.AMOUNT,
            "amount": Money(5, "EUR"),
            "terms": "For one order, on everything in the shop.",
        },
        TASTE: {
            "benefit": Campaign.Benefit.PERCENT,
            "percent": Decimal(15),
            "deadline_minutes": 86_400,
            "minimum_spend": Money(10, "EUR"),
            "terms": "For one order of 10 € or more within 60 days, counted from your answers.",
            "ask_text": "Three short questions about your tea, and this coupon is yours.",
            "marketing_text": "And send me the letter from the tea shelf. I can leave it at any time.",
            "offer_after_registration": True,
        },
        WELCOME: {
            "benefit": Campaign.Benefit.AMOUNT,
            "amount": Money(2, "EUR"),
            "deadline_minutes": 86_400,
            "terms": "For one order within 60 days, on everything in the shop.",
        },
        SPRING: {
            "benefit": Campaign.Benefit.PERCENT,
            "percent": Decimal(10),
            "code_type": Campaign.CodeType.WORD,
            "word": "SPRING10",
            "total_limit": 200,
            "limit_per_customer": 1,
            "categories_in": ["tea"],
            "terms": "On tea, once per customer, for the first 200 orders.",
        },
    }.items():
        campaign, is_new = Campaign.objects.get_or_create(
            title=title, defaults={"status": Campaign.Status.RUNNING, **values}
        )
        if is_new and title == TASTE:
            campaign.questions = [Question(sort_order=order, **values) for order, values in enumerate(QUESTIONS)]
            campaign.save()
