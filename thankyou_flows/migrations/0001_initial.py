from __future__ import annotations

import django.db.models.deletion
import djmoney.models.fields
from django.db import migrations, models

import coupons.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = []

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
                        ],
                        max_length=16,
                        verbose_name="what happened",
                    ),
                ),
                ("wording", models.TextField(verbose_name="exact wording")),
                ("source", models.CharField(blank=True, max_length=200, verbose_name="shown by")),
                ("path", models.CharField(blank=True, max_length=500, verbose_name="address of the page")),
                ("language", models.CharField(blank=True, max_length=16, verbose_name="language")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="when")),
            ],
            options={
                "verbose_name": "consent receipt",
                "verbose_name_plural": "consent receipts",
                "ordering": ["pk"],
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
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="link",
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
                ("list_slug", models.SlugField(default="newsletter", verbose_name="list")),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail")),
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
            ],
            options={
                "verbose_name": "newsletter sign-up",
                "verbose_name_plural": "newsletter sign-ups",
                "ordering": ["-requested_at", "-pk"],
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(fields=("list_slug", "email_key"), name="thankyou_one_subscription_a_list")
                ],
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
    ]
