from __future__ import annotations

import re

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
import modelcluster.fields
import wagtail.fields
import wagtail.models.preview
from django.db import migrations, models

import coupons.fields
import thankyou_flows.followups.triggers
import thankyou_flows.mail.placeholders
import thankyou_flows.mail.writing
import thankyou_flows.models.messages
import thankyou_flows.rules


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("thankyou_coupons", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConfirmationAllowance",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mailbox_key", models.CharField(max_length=80, unique=True, verbose_name="mailbox key")),
                ("last_mail_at", models.DateTimeField(blank=True, null=True, verbose_name="last mail")),
                ("second_last_mail_at", models.DateTimeField(blank=True, null=True, verbose_name="the mail before")),
                (
                    "third_last_mail_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="the mail before that"),
                ),
            ],
            options={
                "verbose_name": "confirmation mail allowance",
                "verbose_name_plural": "confirmation mail allowances",
            },
        ),
        migrations.CreateModel(
            name="ConsentReceipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("requested", "Asked to be subscribed"),
                            ("confirmed", "Confirmed by the link in the mail"),
                            ("left", "Left the list"),
                        ],
                        max_length=16,
                        verbose_name="what happened",
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("block", "A form on a page"),
                            ("checkout", "A box at the checkout"),
                            ("account", "The account's page"),
                            ("coupon", "A box beside a coupon's questions"),
                            ("api", "The API"),
                            ("link", "A link in a mail"),
                            ("one_click", "The mail program's own button"),
                            ("provider", "Reported by the mail provider"),
                            ("admin", "The shop's people"),
                        ],
                        default="block",
                        max_length=10,
                        verbose_name="how",
                    ),
                ),
                ("purpose", models.CharField(blank=True, max_length=500, verbose_name="purpose")),
                ("wording", models.TextField(blank=True, verbose_name="exact wording")),
                ("source", models.CharField(blank=True, max_length=200, verbose_name="shown by")),
                ("path", models.CharField(blank=True, max_length=500, verbose_name="address of the page")),
                ("language", models.CharField(blank=True, max_length=16, verbose_name="language")),
                ("ip", models.CharField(blank=True, max_length=80, verbose_name="network address")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="when")),
            ],
            options={
                "verbose_name": "consent receipt",
                "verbose_name_plural": "consent receipts",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email_key", models.CharField(max_length=80, unique=True, verbose_name="address key")),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail")),
                ("language", models.CharField(blank=True, max_length=16, verbose_name="language")),
                ("time_zone", models.CharField(blank=True, max_length=64, verbose_name="time zone")),
                (
                    "frequency",
                    models.CharField(
                        choices=[
                            ("all", "As they come"),
                            ("weekly", "At most one a week"),
                            ("monthly", "At most one a month"),
                        ],
                        default="all",
                        max_length=10,
                        verbose_name="how often",
                    ),
                ),
                ("paused_until", models.DateTimeField(blank=True, null=True, verbose_name="pause until")),
                (
                    "last_marketing_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="last mail that was not transactional"),
                ),
                ("last_marketing_key", models.CharField(blank=True, editable=False, max_length=22)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="first known")),
                (
                    "last_action_at",
                    models.DateTimeField(db_index=True, default=django.utils.timezone.now, verbose_name="last action"),
                ),
            ],
            options={
                "verbose_name": "contact",
                "verbose_name_plural": "contacts",
                "ordering": ["pk"],
                "permissions": [
                    ("export_person", "Can look up people, and export what is known of them"),
                    ("erase_person", "Can erase people"),
                ],
                "default_permissions": ["view"],
            },
        ),
        migrations.CreateModel(
            name="FollowUp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "title",
                    models.CharField(
                        help_text="Only you and your colleagues see it. Example: Care tips",
                        max_length=120,
                        verbose_name="name",
                    ),
                ),
                (
                    "is_on",
                    models.BooleanField(
                        default=False,
                        help_text="Off: nothing new is planned, and what is planned is not sent.",
                        verbose_name="switched on",
                    ),
                ),
                (
                    "trigger",
                    models.CharField(
                        choices=thankyou_flows.followups.triggers.trigger_choices, max_length=40, verbose_name="when"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("transactional", "Transactional: answers what the customer did or asked"),
                            ("follow_up", "Follow-up: tips, reminders and offers after a step"),
                            ("newsletter", "Newsletter: to those on a list"),
                        ],
                        default="follow_up",
                        max_length=14,
                        verbose_name="what it is",
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
                        help_text="All of them must hold, when the mail is planned and again just before it is sent.",
                        verbose_name="conditions",
                    ),
                ),
                (
                    "stops_after_order",
                    models.BooleanField(
                        default=True,
                        help_text="It always stops when the order is cancelled or refunded, when the coupon is used or over, and when the customer has left.",
                        verbose_name="stop when the customer orders again",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                (
                    "switched_on_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="switched on at"),
                ),
            ],
            options={
                "verbose_name": "follow-up",
                "verbose_name_plural": "follow-ups",
                "ordering": ["title", "pk"],
            },
            bases=(wagtail.models.preview.PreviewableMixin, models.Model),
        ),
        migrations.CreateModel(
            name="LastLook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, unique=True, verbose_name="what")),
                ("at", models.DateTimeField(verbose_name="when")),
                ("cursor", models.CharField(blank=True, max_length=120, verbose_name="up to")),
            ],
            options={
                "verbose_name": "last look",
                "verbose_name_plural": "last looks",
                "default_permissions": [],
            },
        ),
        migrations.CreateModel(
            name="OrderLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(db_index=True, max_length=64, verbose_name="order number")),
                ("token_hash", models.CharField(max_length=64, unique=True, verbose_name="hash of the token")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("expires_at", models.DateTimeField(db_index=True, verbose_name="works until")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked at")),
            ],
            options={
                "verbose_name": "order link",
                "verbose_name_plural": "order links",
            },
        ),
        migrations.CreateModel(
            name="OrderRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=64, unique=True, verbose_name="number")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("placed", "Waiting for payment"),
                            ("paid", "Paid"),
                            ("shipped", "On its way"),
                            ("delivered", "Delivered"),
                            ("cancelled", "Cancelled"),
                            ("refunded", "Refunded"),
                        ],
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                (
                    "total_currency",
                    djmoney.models.fields.CurrencyField(default=None, editable=False, max_length=3, null=True),
                ),
                ("total", coupons.fields.AmountField(decimal_places=3, max_digits=14, verbose_name="total")),
                (
                    "customer_key",
                    models.CharField(blank=True, db_index=True, max_length=80, verbose_name="customer key"),
                ),
                ("language", models.CharField(blank=True, max_length=16, verbose_name="language")),
                (
                    "objection",
                    models.CharField(
                        choices=[
                            ("not_offered", "Was not offered"),
                            ("offered", "Was offered and not used"),
                            ("used", "The customer objected"),
                        ],
                        default="not_offered",
                        max_length=12,
                        verbose_name="objection to follow-ups",
                    ),
                ),
                ("placed_at", models.DateTimeField(db_index=True, verbose_name="placed at")),
                ("recorded_at", models.DateTimeField(auto_now_add=True, verbose_name="recorded at")),
                ("changed_at", models.DateTimeField(auto_now=True, verbose_name="changed at")),
            ],
            options={
                "verbose_name": "order",
                "verbose_name_plural": "orders",
                "ordering": ["-placed_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="ConfirmationLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail")),
                ("token_hash", models.CharField(max_length=64, unique=True, verbose_name="hash of the token")),
                ("expires_at", models.DateTimeField(db_index=True, verbose_name="works until")),
                ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used at")),
                (
                    "receipt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links",
                        to="thankyou_flows.consentreceipt",
                        verbose_name="request",
                    ),
                ),
            ],
            options={
                "verbose_name": "confirmation link",
                "verbose_name_plural": "confirmation links",
            },
        ),
        migrations.CreateModel(
            name="FollowUpStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sort_order", models.IntegerField(blank=True, editable=False, null=True)),
                (
                    "delay",
                    models.PositiveSmallIntegerField(
                        default=3,
                        help_text="For what is about to end: how long before the end.",
                        validators=[django.core.validators.MaxValueValidator(1000)],
                        verbose_name="how long after it",
                    ),
                ),
                (
                    "delay_unit",
                    models.CharField(
                        choices=[("minutes", "minutes"), ("hours", "hours"), ("days", "days")],
                        default="days",
                        max_length=7,
                        verbose_name="unit",
                    ),
                ),
                (
                    "at_time",
                    models.TimeField(
                        blank=True,
                        help_text="In the customer's own time zone. Leave empty for any time outside the quiet hours. Example: 10:00",
                        null=True,
                        verbose_name="at about",
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        help_text="You can write {first_name}, {order_number}, {shop_name}, {coupon_worth} and {coupon_until}.",
                        max_length=150,
                        verbose_name="subject",
                    ),
                ),
                (
                    "preheader",
                    models.CharField(
                        blank=True,
                        help_text="Mail programs show it behind the subject. Example: Three things that keep your kettle shining.",
                        max_length=150,
                        verbose_name="line after the subject",
                    ),
                ),
                (
                    "body",
                    wagtail.fields.StreamField(
                        [
                            ("text", 1),
                            ("button", 5),
                            ("coupon", 8),
                            ("offer", 10),
                            ("products", 14),
                            ("image", 17),
                            ("divider", 18),
                        ],
                        block_lookup={
                            0: (
                                "wagtail.blocks.RichTextBlock",
                                (),
                                {
                                    "features": ["h2", "h3", "bold", "italic", "link", "ol", "ul"],
                                    "help_text": "You can write {first_name}, {order_number}, {shop_name}, {coupon_code}, {coupon_worth}, {coupon_until} and {title}.",
                                    "label": "Text",
                                    "validators": [thankyou_flows.mail.placeholders.validate_placeholders],
                                },
                            ),
                            1: ("wagtail.blocks.StructBlock", [[("text", 0)]], {}),
                            2: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "help_text": "Say what happens. Example: Look at your list",
                                    "label": "Words on it",
                                    "max_length": 60,
                                    "validators": [thankyou_flows.mail.placeholders.validate_placeholders],
                                },
                            ),
                            3: ("wagtail.blocks.PageChooserBlock", (), {"label": "Page", "required": False}),
                            4: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "help_text": "Example: https://shop.example/tea/. With neither, it leads to what the mail is about (the order, the list, the download), or else to your shop.",
                                    "label": "or address",
                                    "max_length": 500,
                                    "required": False,
                                    "validators": [
                                        thankyou_flows.mail.writing.validate_address,
                                        thankyou_flows.mail.placeholders.validate_placeholders,
                                    ],
                                },
                            ),
                            5: ("wagtail.blocks.StructBlock", [[("text", 2), ("page", 3), ("url", 4)]], {}),
                            6: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "help_text": "Example: A small thank-you",
                                    "label": "Heading",
                                    "max_length": 120,
                                    "required": False,
                                    "validators": [thankyou_flows.mail.placeholders.validate_placeholders],
                                },
                            ),
                            7: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "help_text": "Empty: “Type the code at the checkout.”",
                                    "label": "How it is used",
                                    "max_length": 250,
                                    "required": False,
                                    "validators": [thankyou_flows.mail.placeholders.validate_placeholders],
                                },
                            ),
                            8: ("wagtail.blocks.StructBlock", [[("heading", 6), ("how", 7)]], {}),
                            9: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "help_text": "Example: On anything you add to your order.",
                                    "label": "A sentence below it",
                                    "max_length": 250,
                                    "required": False,
                                    "validators": [thankyou_flows.mail.placeholders.validate_placeholders],
                                },
                            ),
                            10: ("wagtail.blocks.StructBlock", [[("text", 9)]], {}),
                            11: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "label": "Heading",
                                    "max_length": 120,
                                    "required": False,
                                    "validators": [thankyou_flows.mail.placeholders.validate_placeholders],
                                },
                            ),
                            12: (
                                "wagtail.blocks.ChoiceBlock",
                                [],
                                {
                                    "choices": [
                                        ("about", "What the mail is about: saved, back in stock, cheaper, bought"),
                                        ("bought", "What was bought with the order"),
                                    ],
                                    "label": "Which products",
                                },
                            ),
                            13: (
                                "wagtail.blocks.IntegerBlock",
                                (),
                                {"default": 3, "label": "How many at most", "max_value": 12, "min_value": 1},
                            ),
                            14: ("wagtail.blocks.StructBlock", [[("heading", 11), ("what", 12), ("count", 13)]], {}),
                            15: (
                                "wagtail.images.blocks.ImageBlock",
                                [],
                                {
                                    "help_text": "Many mail programs hide pictures at first. What matters must also stand in the text.",
                                    "label": "Picture",
                                },
                            ),
                            16: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "help_text": "Example: https://shop.example/tea/",
                                    "label": "Leads to",
                                    "max_length": 500,
                                    "required": False,
                                    "validators": [
                                        thankyou_flows.mail.writing.validate_address,
                                        thankyou_flows.mail.placeholders.validate_placeholders,
                                    ],
                                },
                            ),
                            17: ("wagtail.blocks.StructBlock", [[("image", 15), ("url", 16)]], {}),
                            18: ("wagtail.blocks.StructBlock", [[]], {}),
                        },
                        verbose_name="text of the mail",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        blank=True,
                        help_text="Each customer gets a code of their own, the same in all mails of this follow-up.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="thankyou_coupons.campaign",
                        verbose_name="coupon it brings",
                    ),
                ),
                (
                    "follow_up",
                    modelcluster.fields.ParentalKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="thankyou_flows.followup",
                        verbose_name="follow-up",
                    ),
                ),
            ],
            options={
                "verbose_name": "mail",
                "verbose_name_plural": "mails",
                "ordering": ["sort_order"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="MailingList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "slug",
                    models.CharField(
                        help_text="For developers and exports. Small letters, digits and hyphens: “recipes”.",
                        max_length=50,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                re.compile("^[-a-zA-Z0-9_]+\\Z"),
                                "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens.",
                                "invalid",
                            )
                        ],
                        verbose_name="short name",
                    ),
                ),
                (
                    "title",
                    models.CharField(help_text="Example: Letters from the shop", max_length=80, verbose_name="name"),
                ),
                (
                    "purpose",
                    models.CharField(
                        help_text="One sentence that people read before they say yes. Example: What is new, and recipes.",
                        max_length=200,
                        verbose_name="what it is about",
                    ),
                ),
                (
                    "promise",
                    models.CharField(
                        blank=True,
                        default="At most twice a month.",
                        help_text="How often you write. Say only what you will keep.",
                        max_length=200,
                        verbose_name="what you promise",
                    ),
                ),
                (
                    "covers_follow_ups",
                    models.BooleanField(
                        default=False,
                        help_text="Tick this only if the sentence above says so: then people on this list get your follow-ups too.",
                        verbose_name="also tips and offers after a purchase",
                    ),
                ),
                (
                    "is_open",
                    models.BooleanField(
                        default=True,
                        help_text="Untick it to take nobody new; whoever is on it stays, and can leave as ever.",
                        verbose_name="people can sign up",
                    ),
                ),
                (
                    "incentive",
                    models.ForeignKey(
                        blank=True,
                        help_text="Each person gets one when the sign-up is confirmed, once. Leave empty for none.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="thankyou_coupons.campaign",
                        verbose_name="thank-you coupon",
                    ),
                ),
            ],
            options={
                "verbose_name": "mailing list",
                "verbose_name_plural": "mailing lists",
                "ordering": ["title", "pk"],
            },
        ),
        migrations.AddField(
            model_name="followup",
            name="mailing_list",
            field=models.ForeignKey(
                blank=True,
                help_text="For a newsletter: only people on this list get it.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="follow_ups",
                to="thankyou_flows.mailinglist",
                verbose_name="list",
            ),
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.CharField(
                        default=thankyou_flows.models.messages.make_message_key,
                        editable=False,
                        max_length=22,
                        unique=True,
                        verbose_name="key",
                    ),
                ),
                ("dedupe_key", models.CharField(max_length=200, unique=True, verbose_name="what it is about")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("transactional", "Transactional: answers what the customer did or asked"),
                            ("follow_up", "Follow-up: tips, reminders and offers after a step"),
                            ("newsletter", "Newsletter: to those on a list"),
                        ],
                        max_length=14,
                        verbose_name="kind",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "Waiting"),
                            ("claimed", "About to be sent"),
                            ("attempting", "Being sent"),
                            ("sent", "Sent"),
                            ("skipped", "Not sent"),
                            ("failed", "Failed"),
                        ],
                        default="planned",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("composer", models.CharField(max_length=120, verbose_name="written by")),
                ("context", models.JSONField(blank=True, default=dict, verbose_name="facts")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="to")),
                ("email_key", models.CharField(blank=True, db_index=True, max_length=80, verbose_name="address key")),
                ("language", models.CharField(blank=True, max_length=16, verbose_name="language")),
                ("reason", models.CharField(max_length=60, verbose_name="reason")),
                ("ref", models.CharField(blank=True, max_length=128, verbose_name="about")),
                ("happened_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="happened")),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="due")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="not after")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("uncertain", models.PositiveSmallIntegerField(default=0, verbose_name="uncertain attempts")),
                ("lease_until", models.DateTimeField(blank=True, null=True, verbose_name="claimed until")),
                ("worker", models.CharField(blank=True, max_length=60, verbose_name="worker")),
                (
                    "why_not",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("left", "Has left the list"),
                            ("objected", "Does not want follow-ups"),
                            ("bounced", "The address does not exist"),
                            ("complained", "Reported an earlier mail as spam"),
                            ("no_consent", "Never agreed to this kind of mail"),
                            ("not_offered", "Ordered before an objection was offered"),
                            ("pending", "Has not confirmed the sign-up"),
                            ("erased", "Asked for erasure"),
                            ("paused", "Has paused our mails"),
                            ("too_many", "Had enough mails already"),
                            ("quiet", "It is night there"),
                            ("too_late", "Its time has passed"),
                            ("order_over", "The order was cancelled or refunded"),
                            ("order_state", "The order is not that far, or is gone"),
                            ("ordered_again", "Ordered again"),
                            ("coupon_used", "The coupon was used"),
                            ("coupon_held", "An order that is not paid yet has the coupon"),
                            ("coupon_over", "The coupon is not valid any more"),
                            ("changed", "What it is about has changed"),
                            ("rules", "The conditions do not hold any more"),
                            ("follow_up_off", "The follow-up was switched off"),
                            ("follow_up_gone", "The follow-up was deleted"),
                            ("done", "There was nothing left to say"),
                            ("unsendable", "The mail could not be written"),
                            ("refused", "The receiving server refused it for good"),
                            ("gave_up", "All attempts failed"),
                            ("uncertain", "Nobody knows whether it arrived"),
                            ("by_hand", "Stopped by hand"),
                        ],
                        max_length=16,
                        verbose_name="why not",
                    ),
                ),
                ("last_error", models.CharField(blank=True, max_length=500, verbose_name="last error")),
                (
                    "ground",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("request", "It answers what this person did or asked"),
                            ("consent", "This person confirmed the sign-up to a list"),
                            ("soft_opt_in", "A customer who was offered to object, and did not"),
                        ],
                        max_length=12,
                        verbose_name="ground",
                    ),
                ),
                ("subject", models.CharField(blank=True, max_length=250, verbose_name="subject")),
                ("text", models.TextField(blank=True, verbose_name="text")),
                ("html", models.TextField(blank=True, verbose_name="HTML")),
                ("provider_id", models.CharField(blank=True, max_length=200, verbose_name="provider's id")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="planned at")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent at")),
                ("settled_at", models.DateTimeField(blank=True, null=True, verbose_name="settled at")),
                (
                    "delivery",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Nothing reported"),
                            ("deferred", "Delayed by the receiving server"),
                            ("delivered", "Delivered"),
                            ("bounced", "Bounced"),
                            ("complained", "Reported as spam"),
                        ],
                        max_length=10,
                        verbose_name="delivery",
                    ),
                ),
                ("delivered_at", models.DateTimeField(blank=True, null=True, verbose_name="delivered at")),
                ("clicked_at", models.DateTimeField(blank=True, null=True, verbose_name="clicked at")),
                ("left_at", models.DateTimeField(blank=True, null=True, verbose_name="left by it at")),
                ("converted_at", models.DateTimeField(blank=True, null=True, verbose_name="ordered after it at")),
                ("converted_order", models.CharField(blank=True, max_length=64, verbose_name="order after it")),
                (
                    "coupon",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="thankyou_coupons.coupon",
                        verbose_name="coupon",
                    ),
                ),
                (
                    "follow_up",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="messages",
                        to="thankyou_flows.followup",
                        verbose_name="follow-up",
                    ),
                ),
                (
                    "mailing_list",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="thankyou_flows.mailinglist",
                        verbose_name="list",
                    ),
                ),
                (
                    "step",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="messages",
                        to="thankyou_flows.followupstep",
                        verbose_name="mail",
                    ),
                ),
            ],
            options={
                "verbose_name": "message",
                "verbose_name_plural": "messages",
                "ordering": ["-pk"],
                "permissions": [("requeue_message", "Can send messages again and stop them")],
                "default_permissions": ["view"],
            },
        ),
        migrations.CreateModel(
            name="MailEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=40, verbose_name="provider")),
                ("event_id", models.CharField(max_length=200, verbose_name="event")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("deferred", "Delayed"),
                            ("delivered", "Delivered"),
                            ("bounced", "Bounced"),
                            ("rejected", "Rejected by the provider"),
                            ("complained", "Reported as spam"),
                            ("unsubscribed", "Unsubscribed at the provider"),
                            ("clicked", "Clicked"),
                        ],
                        max_length=12,
                        verbose_name="what",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="when")),
                ("received_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="received")),
                (
                    "message",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="thankyou_flows.message",
                        verbose_name="message",
                    ),
                ),
            ],
            options={
                "verbose_name": "report from the mail provider",
                "verbose_name_plural": "reports from the mail provider",
                "ordering": ["at", "pk"],
                "default_permissions": [],
            },
        ),
        migrations.CreateModel(
            name="OrderRecordLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("product_ref", models.CharField(db_index=True, max_length=128, verbose_name="product")),
                ("title", models.CharField(blank=True, max_length=255, verbose_name="title")),
                ("quantity", models.PositiveIntegerField(verbose_name="quantity")),
                (
                    "total_currency",
                    djmoney.models.fields.CurrencyField(default=None, editable=False, max_length=3, null=True),
                ),
                ("total", coupons.fields.AmountField(decimal_places=3, max_digits=14, verbose_name="total")),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="thankyou_flows.orderrecord",
                        verbose_name="order",
                    ),
                ),
            ],
            options={
                "verbose_name": "order line",
                "verbose_name_plural": "order lines",
            },
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("email_key", models.CharField(max_length=80, verbose_name="address key")),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Waiting for confirmation"), ("confirmed", "Confirmed"), ("left", "Left")],
                        default="pending",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("language", models.CharField(blank=True, max_length=16, verbose_name="language")),
                ("requested_at", models.DateTimeField(auto_now_add=True, verbose_name="requested at")),
                ("confirmed_at", models.DateTimeField(blank=True, null=True, verbose_name="confirmed at")),
                ("left_at", models.DateTimeField(blank=True, null=True, verbose_name="left at")),
                (
                    "mailing_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions",
                        to="thankyou_flows.mailinglist",
                        verbose_name="list",
                    ),
                ),
            ],
            options={
                "verbose_name": "newsletter sign-up",
                "verbose_name_plural": "newsletter sign-ups",
                "ordering": ["-requested_at", "-pk"],
                "default_permissions": ("view",),
            },
        ),
        migrations.AddField(
            model_name="consentreceipt",
            name="subscription",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="receipts",
                to="thankyou_flows.subscription",
                verbose_name="sign-up",
            ),
        ),
        migrations.CreateModel(
            name="Suppression",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email_key", models.CharField(max_length=80, verbose_name="address key")),
                ("scope", models.CharField(max_length=60, verbose_name="what is not sent")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("left", "Unsubscribed"),
                            ("objected", "Does not want follow-ups"),
                            ("bounced", "The address does not exist"),
                            ("complained", "Reported as spam"),
                            ("erased", "Asked for erasure"),
                            ("manual", "Entered by hand"),
                        ],
                        max_length=12,
                        verbose_name="why",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="since")),
                ("message_key", models.CharField(blank=True, max_length=22, verbose_name="message")),
            ],
            options={
                "verbose_name": "suppression",
                "verbose_name_plural": "suppressions",
                "ordering": ["-pk"],
                "default_permissions": ["view", "add", "delete"],
                "constraints": [
                    models.UniqueConstraint(fields=("email_key", "scope"), name="thankyou_one_suppression_a_scope"),
                    models.CheckConstraint(
                        condition=models.Q(("email_key", ""), _negated=True), name="thankyou_suppression_has_key"
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state", "planned")), fields=["due_at", "id"], name="thankyou_flows_due"
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state__in", ["claimed", "attempting"])),
                fields=["lease_until"],
                name="thankyou_flows_leased",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["follow_up", "state"], name="thankyou_flows_numbers"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["ref"], name="thankyou_flows_about"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("reason", "sign_up")), fields=["created_at"], name="thankyou_flows_sign_ups"
            ),
        ),
        migrations.AddConstraint(
            model_name="mailevent",
            constraint=models.UniqueConstraint(fields=("provider", "event_id"), name="thankyou_mail_event_once"),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.UniqueConstraint(
                fields=("mailing_list", "email_key"), name="thankyou_one_subscription_a_list"
            ),
        ),
    ]
