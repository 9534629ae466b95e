from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
import djmoney.models.fields
from django.conf import settings
from django.db import migrations, models

import wishlists.fields
import wishlists.models.keys


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ProductWatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("product_ref", models.CharField(max_length=128, unique=True, verbose_name="product")),
                (
                    "price_currency",
                    djmoney.models.fields.CurrencyField(default=None, editable=False, max_length=3, null=True),
                ),
                ("price", wishlists.fields.PriceField(decimal_places=3, max_digits=14, verbose_name="price")),
                ("available", models.BooleanField(default=True, verbose_name="available")),
                ("left", models.PositiveIntegerField(blank=True, null=True, verbose_name="pieces left")),
                ("checked_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="looked at")),
            ],
            options={
                "verbose_name": "watched product",
                "verbose_name_plural": "watched products",
                "default_permissions": [],
            },
        ),
        migrations.CreateModel(
            name="CatalogEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("price_drop", "Price drop"),
                            ("back_in_stock", "Back in stock"),
                            ("selling_out", "About to sell out"),
                        ],
                        max_length=14,
                        verbose_name="what",
                    ),
                ),
                ("product_ref", models.CharField(db_index=True, max_length=128, verbose_name="product")),
                ("title", models.CharField(blank=True, max_length=200, verbose_name="title")),
                ("at", models.DateTimeField(db_index=True, default=django.utils.timezone.now, verbose_name="when")),
                (
                    "price_currency",
                    djmoney.models.fields.CurrencyField(default=None, editable=False, max_length=3, null=True),
                ),
                ("price", wishlists.fields.PriceField(decimal_places=3, max_digits=14, verbose_name="price")),
                (
                    "price_before_currency",
                    djmoney.models.fields.CurrencyField(default=None, editable=False, max_length=3, null=True),
                ),
                (
                    "price_before",
                    wishlists.fields.PriceField(decimal_places=3, max_digits=14, verbose_name="price before"),
                ),
                (
                    "lowest_price_currency",
                    djmoney.models.fields.CurrencyField(default=None, editable=False, max_length=3, null=True),
                ),
                (
                    "lowest_price",
                    wishlists.fields.PriceField(
                        decimal_places=3, max_digits=14, verbose_name="lowest price of 30 days"
                    ),
                ),
                ("left", models.PositiveIntegerField(blank=True, null=True, verbose_name="pieces left")),
                ("told_at", models.DateTimeField(blank=True, null=True, verbose_name="told")),
            ],
            options={
                "verbose_name": "news from the catalogue",
                "verbose_name_plural": "news from the catalogue",
                "ordering": ["pk"],
                "default_permissions": [],
                "indexes": [
                    models.Index(condition=models.Q(("told_at", None)), fields=["id"], name="thankyou_wishlists_untold")
                ],
            },
        ),
        migrations.CreateModel(
            name="Inquiry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.CharField(
                        default=wishlists.models.keys.make_key,
                        editable=False,
                        max_length=22,
                        unique=True,
                        verbose_name="key",
                    ),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail address")),
                ("name", models.CharField(blank=True, max_length=80, verbose_name="name")),
                ("text", models.TextField(max_length=3000, verbose_name="question")),
                ("products", models.JSONField(blank=True, default=list, verbose_name="products")),
                ("language", models.CharField(blank=True, max_length=12, verbose_name="language")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Waiting for an answer"),
                            ("answered", "Answered"),
                            ("closed", "Closed without an answer"),
                        ],
                        db_index=True,
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_index=True, default=django.utils.timezone.now, verbose_name="asked"),
                ),
                ("answer", models.TextField(blank=True, max_length=5000, verbose_name="answer")),
                ("answered_at", models.DateTimeField(blank=True, null=True, verbose_name="answered")),
                ("mailed_at", models.DateTimeField(blank=True, null=True, verbose_name="sent")),
                (
                    "answered_by",
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
                "verbose_name": "question from a customer",
                "verbose_name_plural": "questions from customers",
                "ordering": ["-pk"],
                "permissions": [("answer_inquiry", "Can answer questions from customers")],
                "default_permissions": ["view", "delete"],
            },
        ),
        migrations.CreateModel(
            name="MergeReceipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.CharField(
                        default=wishlists.models.keys.make_key,
                        editable=False,
                        max_length=22,
                        unique=True,
                        verbose_name="key",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_index=True, default=django.utils.timezone.now, verbose_name="merged"),
                ),
                ("undone_at", models.DateTimeField(blank=True, null=True, verbose_name="undone")),
                ("changes", models.JSONField(default=dict, verbose_name="changes")),
                ("guest", models.JSONField(default=dict, verbose_name="the guest's lists")),
                ("cookies", models.JSONField(default=dict, verbose_name="the guest's cookies")),
                ("left_out", models.JSONField(default=dict, verbose_name="left out")),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
            ],
            options={
                "verbose_name": "receipt of a merge",
                "verbose_name_plural": "receipts of merges",
                "ordering": ["-pk"],
                "default_permissions": [],
            },
        ),
        migrations.CreateModel(
            name="ProductList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("cart", "Cart"),
                            ("saved", "Saved for later"),
                            ("wish", "Wish list"),
                            ("compare", "Comparison"),
                            ("recent", "Recently viewed"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        default=wishlists.models.keys.make_key,
                        editable=False,
                        max_length=22,
                        unique=True,
                        verbose_name="key",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=80, verbose_name="name")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="begun")),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="last changed")),
                (
                    "share_key",
                    models.CharField(blank=True, max_length=22, null=True, unique=True, verbose_name="key of the link"),
                ),
                ("shared_at", models.DateTimeField(blank=True, null=True, verbose_name="shared")),
                ("shares_additions", models.BooleanField(default=False, verbose_name="also show what I add later")),
                ("shown_name", models.CharField(blank=True, max_length=80, verbose_name="name shown with the list")),
                ("hides_gifts", models.BooleanField(default=True, verbose_name="keep it a surprise")),
                (
                    "last_removed",
                    models.JSONField(blank=True, default=list, editable=False, verbose_name="removed last"),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="product_lists",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
            ],
            options={
                "verbose_name": "list",
                "verbose_name_plural": "lists",
                "ordering": ["pk"],
                "default_permissions": [],
            },
        ),
        migrations.CreateModel(
            name="ListItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("product_ref", models.CharField(db_index=True, max_length=128, verbose_name="product")),
                ("options", models.CharField(blank=True, max_length=128, verbose_name="options")),
                ("title", models.CharField(blank=True, max_length=200, verbose_name="title")),
                ("quantity", models.PositiveIntegerField(default=1, verbose_name="quantity")),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="note")),
                (
                    "priority",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "Most wanted"), (2, "Normal"), (3, "Would be nice")],
                        default=2,
                        verbose_name="priority",
                    ),
                ),
                ("parked", models.BooleanField(default=False, verbose_name="waits until it is available")),
                (
                    "price_currency",
                    djmoney.models.fields.CurrencyField(default=None, editable=False, max_length=3, null=True),
                ),
                (
                    "price",
                    wishlists.fields.PriceField(decimal_places=3, max_digits=14, verbose_name="price when saved"),
                ),
                ("added_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="saved")),
                (
                    "list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="thankyou_wishlists.productlist",
                        verbose_name="list",
                    ),
                ),
            ],
            options={
                "verbose_name": "item",
                "verbose_name_plural": "items",
                "ordering": ["pk"],
                "default_permissions": [],
            },
        ),
        migrations.CreateModel(
            name="GiftMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.CharField(
                        default=wishlists.models.keys.make_key,
                        editable=False,
                        max_length=22,
                        unique=True,
                        verbose_name="key",
                    ),
                ),
                ("product_ref", models.CharField(max_length=128, verbose_name="product")),
                ("options", models.CharField(blank=True, max_length=128, verbose_name="options")),
                ("title", models.CharField(blank=True, max_length=200, verbose_name="title")),
                ("quantity", models.PositiveIntegerField(default=1, verbose_name="quantity")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="marked")),
                (
                    "list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="gifts",
                        to="thankyou_wishlists.productlist",
                        verbose_name="list",
                    ),
                ),
            ],
            options={
                "verbose_name": "gift mark",
                "verbose_name_plural": "gift marks",
                "ordering": ["pk"],
                "default_permissions": [],
            },
        ),
        migrations.CreateModel(
            name="Save",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("product_ref", models.CharField(max_length=128, verbose_name="product")),
                ("title", models.CharField(blank=True, max_length=200, verbose_name="title")),
                (
                    "saved_at",
                    models.DateTimeField(db_index=True, default=django.utils.timezone.now, verbose_name="saved"),
                ),
                ("bought_at", models.DateTimeField(blank=True, null=True, verbose_name="bought")),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "saved product",
                "verbose_name_plural": "saved products",
                "ordering": ["pk"],
                "permissions": [("export_save", "Can export the report on saved products")],
                "default_permissions": ["view"],
            },
        ),
        migrations.CreateModel(
            name="ItemNews",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="thankyou_wishlists.catalogevent",
                        verbose_name="what",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="news",
                        to="thankyou_wishlists.listitem",
                        verbose_name="item",
                    ),
                ),
            ],
            options={
                "verbose_name": "news of an item",
                "verbose_name_plural": "news of items",
                "default_permissions": [],
                "constraints": [models.UniqueConstraint(fields=("item", "event"), name="thankyou_wishlists_told_once")],
            },
        ),
        migrations.AddIndex(
            model_name="productlist",
            index=models.Index(fields=["changed_at"], name="thankyou_wishlists_untouched"),
        ),
        migrations.AddConstraint(
            model_name="productlist",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "wish"), _negated=True),
                fields=("owner", "kind"),
                name="thankyou_wishlists_one_of_a_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="productlist",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "wish"), ("share_key", None), _connector="OR"),
                name="thankyou_wishlists_only_wish_lists_are_shared",
            ),
        ),
        migrations.AddConstraint(
            model_name="listitem",
            constraint=models.UniqueConstraint(
                fields=("list", "product_ref", "options"), name="thankyou_wishlists_item_once_on_a_list"
            ),
        ),
        migrations.AddConstraint(
            model_name="listitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gte", 1)), name="thankyou_wishlists_item_quantity"
            ),
        ),
        migrations.AddIndex(
            model_name="giftmark",
            index=models.Index(fields=["list", "product_ref", "options"], name="thankyou_wishlists_gifts"),
        ),
        migrations.AddConstraint(
            model_name="giftmark",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gte", 1)), name="thankyou_wishlists_gift_quantity"
            ),
        ),
        migrations.AddIndex(
            model_name="save",
            index=models.Index(fields=["product_ref", "bought_at"], name="thankyou_wishlists_saves"),
        ),
        migrations.AddConstraint(
            model_name="save",
            constraint=models.UniqueConstraint(fields=("owner", "product_ref"), name="thankyou_wishlists_saved_once"),
        ),
        migrations.AddConstraint(
            model_name="save",
            constraint=models.CheckConstraint(
                condition=models.Q(("bought_at", None), ("bought_at__gte", models.F("saved_at")), _connector="OR"),
                name="thankyou_wishlists_bought_after_saved",
            ),
        ),
    ]
