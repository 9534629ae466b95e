from __future__ import annotations

import django.db.models.deletion
import wagtail.fields
from django.db import migrations, models

import thankyou_flows.blocks.newsletter
import thankyou_flows.page
import thankyou_flows.rules


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("wagtailcore", "0097_baselogentry_uuid_action_timestamp_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="ThankYouPage",
            fields=[
                (
                    "page_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="wagtailcore.Page",
                    ),
                ),
                (
                    "headline",
                    models.CharField(
                        default="Thank you, {first_name}",
                        help_text="You can write {first_name} and {order_number}; they are filled in for the customer.",
                        max_length=120,
                        verbose_name="headline",
                    ),
                ),
                (
                    "body",
                    wagtail.fields.StreamField(
                        [
                            ("status", 3),
                            ("summary", 7),
                            ("heading", 9),
                            ("text", 11),
                            ("text_everywhere", 11),
                            ("offer", 16),
                            ("coupon", 20),
                            ("unlock", 23),
                            ("newsletter", 29),
                        ],
                        blank=True,
                        block_lookup={
                            0: (
                                "wagtail.blocks.ChoiceBlock",
                                [],
                                {
                                    "choices": [
                                        ("", "Everybody"),
                                        ("first", "Customers with their first order"),
                                        ("returning", "Customers who ordered before"),
                                    ],
                                    "label": "Who sees it",
                                    "required": False,
                                },
                            ),
                            1: (
                                "wagtail.blocks.MultipleChoiceBlock",
                                [],
                                {
                                    "choices": [
                                        ("placed", "Waiting for payment"),
                                        ("paid", "Paid"),
                                        ("shipped", "On its way"),
                                        ("delivered", "Delivered"),
                                        ("cancelled", "Cancelled"),
                                        ("refunded", "Refunded"),
                                    ],
                                    "help_text": "Choose none to show it whatever the state.",
                                    "label": "Only while the order is",
                                    "required": False,
                                },
                            ),
                            2: ("wagtail.blocks.StructBlock", [[("audience", 0), ("states", 1)]], {}),
                            3: ("wagtail.blocks.StructBlock", [[("show", 2)]], {}),
                            4: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {"default": "Your order", "label": "Heading", "max_length": 80, "required": False},
                            ),
                            5: (
                                "wagtail.blocks.BooleanBlock",
                                (),
                                {"default": True, "label": "Show product pictures", "required": False},
                            ),
                            6: (
                                "wagtail.blocks.BooleanBlock",
                                (),
                                {
                                    "default": True,
                                    "help_text": "Only the customer sees it, never somebody who has just the link.",
                                    "label": "Show the delivery address",
                                    "required": False,
                                },
                            ),
                            7: (
                                "wagtail.blocks.StructBlock",
                                [[("heading", 4), ("show_pictures", 5), ("show_addresses", 6), ("show", 2)]],
                                {},
                            ),
                            8: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "help_text": "You can write {first_name} and {order_number}; they are filled in for the customer.",
                                    "label": "Heading",
                                    "max_length": 120,
                                },
                            ),
                            9: ("wagtail.blocks.StructBlock", [[("text", 8), ("show", 2)]], {}),
                            10: (
                                "wagtail.blocks.RichTextBlock",
                                (),
                                {
                                    "features": ["bold", "italic", "link", "document-link", "ol", "ul"],
                                    "help_text": "You can write {first_name} and {order_number}; they are filled in for the customer.",
                                    "label": "Text",
                                },
                            ),
                            11: ("wagtail.blocks.StructBlock", [[("text", 10), ("show", 2)]], {}),
                            12: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "default": "Forgot something?",
                                    "label": "Heading",
                                    "max_length": 80,
                                    "required": False,
                                },
                            ),
                            13: (
                                "thankyou_flows.choosers.CampaignChooserBlock",
                                (),
                                {
                                    "help_text": "A campaign with a personal deadline, for example 60 minutes. The same deadline decides the price at the checkout.",
                                    "label": "Which offer",
                                },
                            ),
                            14: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "help_text": "Say only what is true in your shop.",
                                    "label": "A sentence about it",
                                    "max_length": 200,
                                    "required": False,
                                },
                            ),
                            15: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "default": "Continue shopping",
                                    "label": "Button",
                                    "max_length": 40,
                                    "required": False,
                                },
                            ),
                            16: (
                                "wagtail.blocks.StructBlock",
                                [[("heading", 12), ("campaign", 13), ("text", 14), ("button", 15), ("show", 2)]],
                                {},
                            ),
                            17: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "default": "For your next visit",
                                    "label": "Heading",
                                    "max_length": 80,
                                    "required": False,
                                },
                            ),
                            18: (
                                "thankyou_flows.choosers.CampaignChooserBlock",
                                (),
                                {
                                    "help_text": "Each order gets one code of its own from this campaign.",
                                    "label": "Which coupon",
                                },
                            ),
                            19: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "help_text": "Example: Try something new with it.",
                                    "label": "A sentence about it",
                                    "max_length": 200,
                                    "required": False,
                                },
                            ),
                            20: (
                                "wagtail.blocks.StructBlock",
                                [[("heading", 17), ("campaign", 18), ("text", 19), ("show", 2)]],
                                {},
                            ),
                            21: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "default": "May we ask you something?",
                                    "label": "Heading",
                                    "max_length": 80,
                                    "required": False,
                                },
                            ),
                            22: (
                                "thankyou_flows.choosers.CampaignChooserBlock",
                                (),
                                {
                                    "help_text": "A campaign that asks questions. What it asks, and why, you write in the campaign.",
                                    "label": "Which coupon",
                                },
                            ),
                            23: ("wagtail.blocks.StructBlock", [[("heading", 21), ("campaign", 22), ("show", 2)]], {}),
                            24: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {"default": "Letters from the shop", "label": "Heading", "max_length": 80},
                            ),
                            25: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "help_text": "Empty: what the list is about, as it says itself.",
                                    "label": "A sentence about it",
                                    "max_length": 200,
                                    "required": False,
                                },
                            ),
                            26: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "help_text": "How often you write. Say only what you will keep. Empty: what the list promises.",
                                    "label": "What you promise",
                                    "max_length": 200,
                                    "required": False,
                                },
                            ),
                            27: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {"default": "Subscribe", "label": "Button", "max_length": 40},
                            ),
                            28: (
                                "wagtail.blocks.ChoiceBlock",
                                [],
                                {
                                    "choices": thankyou_flows.blocks.newsletter.list_choices,
                                    "help_text": "What people agree to is kept with it.",
                                    "label": "List",
                                },
                            ),
                            29: (
                                "wagtail.blocks.StructBlock",
                                [
                                    [
                                        ("heading", 24),
                                        ("text", 25),
                                        ("promise", 26),
                                        ("button", 27),
                                        ("list_slug", 28),
                                        ("show", 2),
                                    ]
                                ],
                                {},
                            ),
                        },
                        default=thankyou_flows.page.default_body,
                        verbose_name="blocks",
                    ),
                ),
                (
                    "generic_text",
                    wagtail.fields.RichTextField(
                        blank=True,
                        default="<p>Thank you for being here. To see an order, open the link in its confirmation mail on this device, or sign in to your account.</p>",
                        help_text="Strangers, expired links and mistyped addresses all see this, and nothing else of an order.",
                        verbose_name="text for visitors whose order we do not know",
                    ),
                ),
                (
                    "priority",
                    models.IntegerField(
                        default=0,
                        help_text="If several pages fit an order, the one with the highest number is shown.",
                        verbose_name="priority",
                    ),
                ),
                (
                    "rules",
                    wagtail.fields.StreamField(
                        [("customer", 1), ("total", 5), ("product", 7), ("category", 9), ("dates", 12)],
                        blank=True,
                        block_lookup={
                            0: (
                                "wagtail.blocks.ChoiceBlock",
                                [],
                                {
                                    "choices": [
                                        ("first", "It is their first order"),
                                        ("returning", "They ordered before"),
                                    ],
                                    "label": "The customer",
                                },
                            ),
                            1: ("wagtail.blocks.StructBlock", [[("kind", 0)]], {}),
                            2: (
                                "wagtail.blocks.DecimalBlock",
                                (),
                                {"help_text": "Example: 50", "label": "At least", "min_value": 0, "required": False},
                            ),
                            3: (
                                "wagtail.blocks.DecimalBlock",
                                (),
                                {"help_text": "Example: 100", "label": "Less than", "min_value": 0, "required": False},
                            ),
                            4: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "help_text": "Only if you sell in several. Example: EUR",
                                    "label": "Currency",
                                    "max_length": 3,
                                    "required": False,
                                },
                            ),
                            5: (
                                "wagtail.blocks.StructBlock",
                                [[("at_least", 2), ("less_than", 3), ("currency", 4)]],
                                {},
                            ),
                            6: (
                                "wagtail.blocks.MultipleChoiceBlock",
                                [],
                                {
                                    "choices": thankyou_flows.rules.product_choices,
                                    "help_text": "To choose several, hold Ctrl (on a Mac ⌘) while you click.",
                                    "label": "One of these products",
                                },
                            ),
                            7: ("wagtail.blocks.StructBlock", [[("products", 6)]], {}),
                            8: (
                                "wagtail.blocks.MultipleChoiceBlock",
                                [],
                                {"choices": thankyou_flows.rules.category_choices, "label": "One of these categories"},
                            ),
                            9: ("wagtail.blocks.StructBlock", [[("categories", 8)]], {}),
                            10: ("wagtail.blocks.DateTimeBlock", (), {"label": "Ordered from", "required": False}),
                            11: ("wagtail.blocks.DateTimeBlock", (), {"label": "Ordered before", "required": False}),
                            12: ("wagtail.blocks.StructBlock", [[("starts", 10), ("ends", 11)]], {}),
                        },
                        help_text="All rules must hold. A page without rules is shown when no other fits.",
                        verbose_name="rules",
                    ),
                ),
            ],
            options={
                "verbose_name": "thank-you page",
                "verbose_name_plural": "thank-you pages",
            },
            bases=("wagtailcore.page", models.Model),
        ),
    ]
