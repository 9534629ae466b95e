from __future__ import annotations

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
import modelcluster.fields
from django.conf import settings
from django.db import migrations, models

import coupons.codes
import coupons.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Campaign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "minimum_spend_currency",
                    djmoney.models.fields.CurrencyField(default=None, editable=False, max_length=3, null=True),
                ),
                (
                    "minimum_spend",
                    coupons.fields.AmountField(
                        blank=True,
                        decimal_places=3,
                        help_text="Of the goods it is for, before coupons. Leave empty for none. Example: 30 Euro",
                        max_digits=14,
                        verbose_name="minimum spend",
                    ),
                ),
                ("products_in", models.JSONField(blank=True, default=list, verbose_name="only these products")),
                ("products_out", models.JSONField(blank=True, default=list, verbose_name="not these products")),
                ("categories_in", models.JSONField(blank=True, default=list, verbose_name="only these categories")),
                ("categories_out", models.JSONField(blank=True, default=list, verbose_name="not these categories")),
                (
                    "audience",
                    models.CharField(
                        choices=[
                            ("everybody", "Everybody"),
                            ("first", "Customers with their first order"),
                            ("returning", "Customers who ordered before"),
                        ],
                        default="everybody",
                        max_length=10,
                        verbose_name="for",
                    ),
                ),
                (
                    "countries",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Choose none for all countries.",
                        verbose_name="only deliveries to",
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        blank=True,
                        help_text="A currency. Leave empty for all. Example: EUR",
                        max_length=3,
                        verbose_name="only orders in",
                    ),
                ),
                (
                    "combinable",
                    models.BooleanField(
                        default=True,
                        help_text="Two coupons of the same campaign can never be used for one order.",
                        verbose_name="may be used together with other coupons",
                    ),
                ),
                (
                    "total_limit",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="By all customers together. Leave empty for no limit. Example: 500",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                1, message="Enter a whole number of 1 or more, or leave it empty."
                            )
                        ],
                        verbose_name="uses in all",
                    ),
                ),
                (
                    "limit_per_customer",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Guests count by their e-mail address; an order without one cannot use the coupon. Leave empty for no limit. Example: 1",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                1, message="Enter a whole number of 1 or more, or leave it empty."
                            )
                        ],
                        verbose_name="uses per customer",
                    ),
                ),
                (
                    "is_unlimited",
                    models.BooleanField(
                        default=False,
                        help_text="Only for a public word without any limit.",
                        verbose_name="yes, anybody may use the word as often as they like",
                    ),
                ),
                (
                    "zone",
                    models.CharField(
                        default=django.utils.timezone.get_default_timezone_name,
                        max_length=64,
                        verbose_name="time zone of the dates",
                    ),
                ),
                (
                    "title",
                    models.CharField(
                        help_text="Only you and your colleagues see it. Example: Thank-you offer, summer",
                        max_length=120,
                        verbose_name="name",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "Draft"), ("running", "Running"), ("paused", "Paused"), ("ended", "Ended")],
                        default="draft",
                        help_text="Coupons are given out and accepted only while a campaign is running. Pausing stops both at once.",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                (
                    "benefit",
                    models.CharField(
                        choices=[
                            ("percent", "Percent off the goods"),
                            ("amount", "Amount off the goods"),
                            ("free_shipping", "Free shipping"),
                            ("free_product", "A product for free"),
                        ],
                        default="free_shipping",
                        max_length=15,
                        verbose_name="what the customer gets",
                    ),
                ),
                (
                    "percent",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="For “percent off”: more than 0, at most 100. Example: 10",
                        max_digits=5,
                        null=True,
                        verbose_name="percent",
                    ),
                ),
                (
                    "amount_currency",
                    djmoney.models.fields.CurrencyField(default=None, editable=False, max_length=3, null=True),
                ),
                (
                    "amount",
                    coupons.fields.AmountField(
                        blank=True,
                        decimal_places=3,
                        help_text="For “amount off”: taken off the goods, never below zero. Example: 5 Euro",
                        max_digits=14,
                        verbose_name="amount",
                    ),
                ),
                (
                    "free_product_ref",
                    models.CharField(
                        blank=True,
                        help_text="For “a product for free”: one piece of it costs nothing once it is in the basket.",
                        max_length=255,
                        verbose_name="free product",
                    ),
                ),
                (
                    "code_type",
                    models.CharField(
                        choices=[
                            ("single", "Single codes: each customer gets one of their own"),
                            ("word", "One public word for everybody"),
                        ],
                        default="single",
                        max_length=10,
                        verbose_name="codes",
                    ),
                ),
                (
                    "word",
                    models.CharField(
                        blank=True,
                        help_text="For a public word: 3 to 24 letters and digits. Anybody can guess or pass on a word, so set a limit below. Example: SPRING10",
                        max_length=24,
                        verbose_name="the word",
                    ),
                ),
                (
                    "starts_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Leave empty to begin at once. Example: 2026-05-01 08:00",
                        null=True,
                        verbose_name="from",
                    ),
                ),
                (
                    "ends_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="No coupon of this campaign is valid after it. Leave empty for no end. Example: 2026-05-31 23:59",
                        null=True,
                        verbose_name="until",
                    ),
                ),
                (
                    "deadline_minutes",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="How long each customer has, counted from the moment of getting the coupon. Example: 60 for one hour. Up to 20 hours (1200), customers can always ask for more time. Leave empty for no personal deadline.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                1, message="Enter at least 1 minute, or leave it empty."
                            ),
                            django.core.validators.MaxValueValidator(
                                525600, message="Enter at most %(limit_value)s minutes, which is one year."
                            ),
                        ],
                        verbose_name="personal deadline in minutes",
                    ),
                ),
                (
                    "uses_per_coupon",
                    models.PositiveIntegerField(
                        default=1,
                        help_text="How many orders may use the same code. Example: 1",
                        validators=[
                            django.core.validators.MinValueValidator(1, message="Enter a whole number of 1 or more.")
                        ],
                        verbose_name="uses per coupon",
                    ),
                ),
                (
                    "personal",
                    models.BooleanField(
                        default=False,
                        help_text="Otherwise whoever has the code can use it, for example a friend. A coupon that was given to nobody in particular, such as a printed one, stays for whoever has it.",
                        verbose_name="only for the customer who got it",
                    ),
                ),
                (
                    "give_back",
                    models.CharField(
                        choices=[
                            ("never", "Never: a use is used"),
                            ("cancelled", "When the order is cancelled"),
                            ("refunded", "When the order is cancelled or refunded"),
                        ],
                        default="cancelled",
                        max_length=10,
                        verbose_name="the customer gets the use back",
                    ),
                ),
                (
                    "ask_text",
                    models.TextField(
                        blank=True,
                        help_text="One or two warm sentences above your questions. Example: Three short questions, and this coupon is yours.",
                        max_length=500,
                        verbose_name="why it is worth telling you more",
                    ),
                ),
                (
                    "marketing_text",
                    models.CharField(
                        blank=True,
                        help_text="A box that is not ticked beforehand and does not decide about the coupon. Leave empty for none. Example: Send me your letter once a month. I can unsubscribe at any time.",
                        max_length=200,
                        verbose_name="box for the newsletter",
                    ),
                ),
                (
                    "offer_after_registration",
                    models.BooleanField(
                        default=False,
                        help_text="As the next step after somebody has opened an account in your shop. If several running campaigns are offered so, only the newest counts.",
                        verbose_name="offer it to everybody who registers",
                    ),
                ),
                (
                    "terms",
                    models.TextField(
                        blank=True,
                        help_text="One short sentence beside the coupon. Example: For deliveries within Germany, once per customer.",
                        max_length=500,
                        verbose_name="conditions for the customer",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
            ],
            options={
                "verbose_name": "campaign",
                "verbose_name_plural": "campaigns",
                "ordering": ["-created_at", "-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("benefit", "percent"), _negated=True),
                            models.Q(("percent__gt", 0), ("percent__lte", 100)),
                            _connector="OR",
                        ),
                        name="thankyou_coupons_campaign_percent",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("benefit", "amount"), _negated=True), ("amount__gt", 0), _connector="OR"
                        ),
                        name="thankyou_coupons_campaign_amount",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("code_type", "word"), _negated=True),
                            models.Q(("word", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="thankyou_coupons_campaign_word",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("uses_per_coupon__gte", 1)), name="thankyou_coupons_campaign_uses"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CouponBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("generated", "Made here"), ("imported", "Imported")],
                        default="generated",
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("stopped", "Stopped"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                (
                    "quantity",
                    models.PositiveIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000000),
                        ],
                        verbose_name="how many codes",
                    ),
                ),
                ("made", models.PositiveIntegerField(default=0, verbose_name="made so far")),
                ("repeated", models.PositiveIntegerField(default=0, verbose_name="known already")),
                ("refused", models.PositiveIntegerField(default=0, verbose_name="rows refused")),
                ("rejected", models.JSONField(blank=True, default=list, verbose_name="refused rows")),
                (
                    "note",
                    models.CharField(
                        blank=True,
                        help_text="Only you and your colleagues see it. Example: Flyer at the spring fair",
                        max_length=120,
                        verbose_name="what it is for",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
                ("finished_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="finished")),
                ("leased_until", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="thankyou_coupons.campaign",
                        verbose_name="campaign",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "batch of codes",
                "verbose_name_plural": "batches of codes",
                "ordering": ["-pk"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Coupon",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "code",
                    models.CharField(default=coupons.codes.generate, max_length=24, unique=True, verbose_name="code"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("available", "Available"), ("locked", "Locked"), ("revoked", "Revoked")],
                        default="available",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("holder_key", models.CharField(blank=True, db_index=True, max_length=100, verbose_name="holder")),
                (
                    "issue_key",
                    models.CharField(blank=True, max_length=200, null=True, unique=True, verbose_name="issue key"),
                ),
                (
                    "usage_limit",
                    models.PositiveIntegerField(blank=True, default=1, null=True, verbose_name="uses allowed"),
                ),
                ("used", models.PositiveIntegerField(default=0, verbose_name="uses taken")),
                ("issued_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="issued")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="valid until")),
                (
                    "deadline_minutes",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="personal deadline in minutes"),
                ),
                ("extensions", models.PositiveSmallIntegerField(default=0, verbose_name="extensions")),
                ("is_word", models.BooleanField(default=False, verbose_name="public word")),
                ("unlocked_at", models.DateTimeField(blank=True, null=True, verbose_name="unlocked")),
                ("declined_at", models.DateTimeField(blank=True, null=True, verbose_name="questions declined")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked")),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="coupons",
                        to="thankyou_coupons.campaign",
                        verbose_name="campaign",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="coupons",
                        to="thankyou_coupons.couponbatch",
                        verbose_name="batch",
                    ),
                ),
            ],
            options={
                "verbose_name": "coupon",
                "verbose_name_plural": "coupons",
                "ordering": ["-pk"],
                "permissions": [
                    ("issue_coupon", "Can give out coupons and make codes in bulk"),
                    ("revoke_coupon", "Can revoke coupons"),
                    ("export_coupon", "Can export and import codes"),
                ],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="CouponEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("issued", "Given out"),
                            ("unlocked", "Unlocked"),
                            ("declined", "Questions declined"),
                            ("extended", "More time given"),
                            ("reserved", "Reserved"),
                            ("redeemed", "Used"),
                            ("released", "Reservation given back"),
                            ("ran_out", "Reservation ran out"),
                            ("restored", "Use given back after the order was cancelled or refunded"),
                            ("revoked", "Revoked"),
                            ("merged", "Moved to an account"),
                            ("changed", "Changed by hand"),
                        ],
                        max_length=10,
                        verbose_name="what happened",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="when")),
                ("actor", models.CharField(blank=True, max_length=150, verbose_name="by whom")),
                ("order_ref", models.CharField(blank=True, max_length=100, verbose_name="order")),
                ("detail", models.JSONField(blank=True, default=dict, verbose_name="details")),
                (
                    "coupon",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="thankyou_coupons.coupon",
                        verbose_name="coupon",
                    ),
                ),
            ],
            options={
                "verbose_name": "coupon event",
                "verbose_name_plural": "coupon events",
                "ordering": ["-pk"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Question",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sort_order", models.IntegerField(blank=True, editable=False, null=True)),
                (
                    "label",
                    models.CharField(
                        help_text="Example: Which tea do you like best? Questions with the same words count as one: nobody is asked a second time.",
                        max_length=200,
                        verbose_name="question",
                    ),
                ),
                ("clean_name", models.SlugField(blank=True, editable=False, max_length=200)),
                (
                    "field_type",
                    models.CharField(
                        choices=[
                            ("singleline", "One line of text"),
                            ("multiline", "Several lines of text"),
                            ("number", "Number"),
                            ("date", "Date"),
                            ("dropdown", "One choice from a list"),
                            ("radio", "One choice, all shown"),
                            ("checkboxes", "Several choices"),
                        ],
                        default="singleline",
                        max_length=12,
                        verbose_name="kind of answer",
                    ),
                ),
                (
                    "choices",
                    models.TextField(
                        blank=True, help_text="For questions with choices: one in each line.", verbose_name="choices"
                    ),
                ),
                ("help_text", models.CharField(blank=True, max_length=200, verbose_name="help for the customer")),
                (
                    "required",
                    models.BooleanField(
                        default=True,
                        help_text="Otherwise the coupon unlocks without it too.",
                        verbose_name="must be answered",
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        help_text="The customer reads it beside the question. Example: So that we can suggest teas you will like.",
                        max_length=200,
                        verbose_name="why you ask",
                    ),
                ),
                (
                    "keep_days",
                    models.PositiveIntegerField(
                        default=365,
                        help_text="The customer reads it too. After that the answer is deleted by itself. Example: 365 for a year",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3653),
                        ],
                        verbose_name="how many days you keep the answer",
                    ),
                ),
                (
                    "campaign",
                    modelcluster.fields.ParentalKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="questions",
                        to="thankyou_coupons.campaign",
                        verbose_name="campaign",
                    ),
                ),
            ],
            options={
                "verbose_name": "question",
                "verbose_name_plural": "questions",
                "ordering": ["sort_order"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Redemption",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("order_ref", models.CharField(db_index=True, max_length=100, verbose_name="order")),
                (
                    "state",
                    models.CharField(
                        choices=[("reserved", "Reserved"), ("redeemed", "Redeemed"), ("released", "Given back")],
                        default="reserved",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("customer_key", models.CharField(blank=True, db_index=True, max_length=100, verbose_name="customer")),
                (
                    "discount_currency",
                    djmoney.models.fields.CurrencyField(default=None, editable=False, max_length=3, null=True),
                ),
                (
                    "discount",
                    coupons.fields.AmountField(
                        blank=True, decimal_places=3, max_digits=14, verbose_name="off the goods"
                    ),
                ),
                (
                    "shipping_discount_currency",
                    djmoney.models.fields.CurrencyField(default=None, editable=False, max_length=3, null=True),
                ),
                (
                    "shipping_discount",
                    coupons.fields.AmountField(
                        blank=True, decimal_places=3, max_digits=14, verbose_name="off the shipping"
                    ),
                ),
                ("reserved_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="reserved")),
                ("expires_at", models.DateTimeField(verbose_name="reserved until")),
                ("redeemed_at", models.DateTimeField(blank=True, null=True, verbose_name="redeemed")),
                ("released_at", models.DateTimeField(blank=True, null=True, verbose_name="given back")),
                ("expired", models.BooleanField(default=False, verbose_name="ran out")),
                ("over_limit", models.BooleanField(default=False, verbose_name="over the limit")),
                ("counts_coupon", models.BooleanField(default=True)),
                ("counts_total", models.BooleanField(default=False)),
                ("counts_customer", models.BooleanField(default=False)),
                (
                    "coupon",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="redemptions",
                        to="thankyou_coupons.coupon",
                        verbose_name="coupon",
                    ),
                ),
            ],
            options={
                "verbose_name": "redemption",
                "verbose_name_plural": "redemptions",
                "ordering": ["-pk"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="UsageCounter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "customer_key",
                    models.CharField(blank=True, db_index=True, default="", max_length=100, verbose_name="customer"),
                ),
                ("used", models.PositiveIntegerField(default=0, verbose_name="uses taken")),
                ("allowed", models.PositiveIntegerField(default=0, verbose_name="uses allowed")),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="counters",
                        to="thankyou_coupons.campaign",
                        verbose_name="campaign",
                    ),
                ),
            ],
            options={
                "verbose_name": "usage counter",
                "verbose_name_plural": "usage counters",
                "ordering": ["campaign", "customer_key"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Answer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("holder_key", models.CharField(db_index=True, max_length=100, verbose_name="customer")),
                ("question_name", models.SlugField(max_length=200, verbose_name="question's name")),
                ("label", models.CharField(max_length=200, verbose_name="question")),
                ("purpose", models.CharField(max_length=200, verbose_name="purpose")),
                ("value", models.JSONField(verbose_name="answer")),
                ("answered_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="answered")),
                ("delete_after", models.DateTimeField(db_index=True, verbose_name="kept until")),
                (
                    "campaign",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="answers",
                        to="thankyou_coupons.campaign",
                        verbose_name="campaign",
                    ),
                ),
                (
                    "coupon",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="answers",
                        to="thankyou_coupons.coupon",
                        verbose_name="coupon",
                    ),
                ),
            ],
            options={
                "verbose_name": "answer",
                "verbose_name_plural": "answers",
                "ordering": ["-pk"],
                "default_permissions": ("view", "delete"),
                "constraints": [
                    models.UniqueConstraint(fields=("holder_key", "question_name"), name="thankyou_coupons_one_answer")
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="couponbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("made__lte", models.F("quantity"))), name="thankyou_coupons_batch_made"
            ),
        ),
        migrations.AddIndex(
            model_name="coupon",
            index=models.Index(fields=["campaign", "state"], name="thankyou_coupons_by_state"),
        ),
        migrations.AddConstraint(
            model_name="coupon",
            constraint=models.CheckConstraint(
                condition=models.Q(("used__gte", 0), ("used__lte", models.F("usage_limit"))),
                name="thankyou_coupons_coupon_used",
            ),
        ),
        migrations.AddIndex(
            model_name="redemption",
            index=models.Index(fields=["state", "expires_at"], name="thankyou_coupons_run_out"),
        ),
        migrations.AddConstraint(
            model_name="redemption",
            constraint=models.UniqueConstraint(fields=("coupon", "order_ref"), name="thankyou_coupons_once_per_order"),
        ),
        migrations.AddConstraint(
            model_name="redemption",
            constraint=models.CheckConstraint(
                condition=models.Q(("over_limit", False), ("state", "redeemed"), _connector="OR"),
                name="thankyou_coupons_over_limit",
            ),
        ),
        migrations.AddConstraint(
            model_name="usagecounter",
            constraint=models.UniqueConstraint(
                fields=("campaign", "customer_key"), name="thankyou_coupons_one_counter"
            ),
        ),
        migrations.AddConstraint(
            model_name="usagecounter",
            constraint=models.CheckConstraint(
                condition=models.Q(("used__gte", 0), ("used__lte", models.F("allowed"))),
                name="thankyou_coupons_counter_used",
            ),
        ),
    ]
