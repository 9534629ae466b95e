from __future__ import annotations

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
from django.db import migrations, models

import coupons.codes
import coupons.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Campaign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="uses per coupon",
                    ),
                ),
                (
                    "personal",
                    models.BooleanField(
                        default=False,
                        help_text="Otherwise whoever has the code can use it, for example a friend.",
                        verbose_name="only for the customer who got it",
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
                        condition=models.Q(("uses_per_coupon__gte", 1)), name="thankyou_coupons_campaign_uses"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Coupon",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "code",
                    models.CharField(default=coupons.codes.generate, max_length=12, unique=True, verbose_name="code"),
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
                ("usage_limit", models.PositiveIntegerField(default=1, verbose_name="uses allowed")),
                ("used", models.PositiveIntegerField(default=0, verbose_name="uses taken")),
                ("issued_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="issued")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="valid until")),
                (
                    "deadline_minutes",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="personal deadline in minutes"),
                ),
                ("extensions", models.PositiveSmallIntegerField(default=0, verbose_name="extensions")),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="coupons",
                        to="thankyou_coupons.campaign",
                        verbose_name="campaign",
                    ),
                ),
            ],
            options={
                "verbose_name": "coupon",
                "verbose_name_plural": "coupons",
                "ordering": ["-pk"],
                "default_permissions": ("view",),
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
    ]
