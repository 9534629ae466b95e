from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
import django_countries.fields
import djmoney.models.fields
import djmoney.money
import modelcluster.fields
import wagtail.fields
from django.conf import settings
from django.db import migrations, models

import example_site.shop.countries
import example_site.shop.models.orders


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("wagtailcore", "0097_baselogentry_uuid_action_timestamp_indexes"),
        ("wagtailimages", "0027_image_description"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Category",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(unique=True, verbose_name="reference")),
                ("title", models.CharField(max_length=80, verbose_name="title")),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="position")),
            ],
            options={
                "verbose_name": "category",
                "verbose_name_plural": "categories",
                "ordering": ["position", "title"],
            },
        ),
        migrations.CreateModel(
            name="ConfirmedAddress",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="confirmed_address",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                ("confirmed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="CategoryPage",
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
                ("intro", models.CharField(blank=True, max_length=400, verbose_name="introduction")),
                (
                    "category",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="page",
                        to="shop.category",
                        verbose_name="category",
                    ),
                ),
                (
                    "image",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtailimages.image",
                        verbose_name="picture",
                    ),
                ),
            ],
            options={
                "verbose_name": "category page",
            },
            bases=("wagtailcore.page",),
        ),
        migrations.CreateModel(
            name="HomePage",
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
                ("headline", models.CharField(max_length=120, verbose_name="headline")),
                ("lead", models.CharField(blank=True, max_length=280, verbose_name="sentence below it")),
                ("button_text", models.CharField(default="Look around", max_length=40, verbose_name="button")),
                ("intro", wagtail.fields.RichTextField(blank=True, verbose_name="introduction")),
                (
                    "image",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtailimages.image",
                        verbose_name="picture",
                    ),
                ),
            ],
            options={
                "verbose_name": "home page",
            },
            bases=("wagtailcore.page",),
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=20, unique=True, verbose_name="order number")),
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
                        db_index=True,
                        default="placed",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail")),
                ("customer_key", models.CharField(blank=True, db_index=True, editable=False, max_length=80)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("street", models.CharField(max_length=160, verbose_name="street and number")),
                (
                    "street_extra",
                    models.CharField(blank=True, max_length=160, verbose_name="apartment, floor, company"),
                ),
                ("postcode", models.CharField(max_length=16, verbose_name="postcode")),
                ("city", models.CharField(max_length=80, verbose_name="city")),
                (
                    "country",
                    django_countries.fields.CountryField(
                        countries=example_site.shop.countries.ShippingCountries, max_length=2, verbose_name="country"
                    ),
                ),
                ("phone", models.CharField(blank=True, max_length=40, verbose_name="phone")),
                (
                    "shipping_method",
                    models.CharField(
                        choices=[("standard", "Standard"), ("express", "Express")],
                        max_length=20,
                        verbose_name="shipping method",
                    ),
                ),
                (
                    "payment_method",
                    models.CharField(
                        choices=[
                            ("card", "Card"),
                            ("declined_card", "Card that is declined"),
                            ("bank", "Bank transfer"),
                        ],
                        max_length=20,
                        verbose_name="payment method",
                    ),
                ),
                (
                    "subtotal_currency",
                    djmoney.models.fields.CurrencyField(
                        choices=[("EUR", "Euro")], default="EUR", editable=False, max_length=3
                    ),
                ),
                ("subtotal", djmoney.models.fields.MoneyField(decimal_places=2, max_digits=9, verbose_name="goods")),
                (
                    "discount_currency",
                    djmoney.models.fields.CurrencyField(
                        choices=[("EUR", "Euro")], default="EUR", editable=False, max_length=3
                    ),
                ),
                (
                    "discount",
                    djmoney.models.fields.MoneyField(
                        decimal_places=2, default=djmoney.money.Money(0, "EUR"), max_digits=9, verbose_name="discount"
                    ),
                ),
                (
                    "shipping_currency",
                    djmoney.models.fields.CurrencyField(
                        choices=[("EUR", "Euro")], default="EUR", editable=False, max_length=3
                    ),
                ),
                ("shipping", djmoney.models.fields.MoneyField(decimal_places=2, max_digits=9, verbose_name="shipping")),
                (
                    "total_currency",
                    djmoney.models.fields.CurrencyField(
                        choices=[("EUR", "Euro")], default="EUR", editable=False, max_length=3
                    ),
                ),
                ("total", djmoney.models.fields.MoneyField(decimal_places=2, max_digits=9, verbose_name="total")),
                ("coupon_codes", models.JSONField(blank=True, default=list, verbose_name="coupon codes")),
                ("delivery_from", models.DateField(blank=True, null=True, verbose_name="expected from")),
                ("delivery_until", models.DateField(blank=True, null=True, verbose_name="expected until")),
                ("language", models.CharField(blank=True, max_length=12, verbose_name="language")),
                (
                    "objection",
                    models.CharField(
                        choices=[
                            ("not_offered", "Was not offered"),
                            ("offered", "Was offered and not used"),
                            ("used", "The customer objected"),
                        ],
                        default="not_offered",
                        editable=False,
                        max_length=12,
                        verbose_name="follow-ups",
                    ),
                ),
                ("checkout_token", models.UUIDField(editable=False, unique=True)),
                ("placed_at", models.DateTimeField(verbose_name="placed")),
                ("paid_at", models.DateTimeField(blank=True, null=True, verbose_name="paid")),
                (
                    "confirmed_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="confirmation mail written"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="shop_orders",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="customer account",
                    ),
                ),
            ],
            options={
                "verbose_name": "order",
                "verbose_name_plural": "orders",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="OrderLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("product_ref", models.CharField(db_index=True, max_length=40, verbose_name="article number")),
                ("title", models.CharField(max_length=120, verbose_name="name")),
                ("options", models.CharField(blank=True, max_length=60, verbose_name="choice")),
                ("option_title", models.CharField(blank=True, max_length=60, verbose_name="name of the choice")),
                ("category_ref", models.CharField(blank=True, max_length=50, verbose_name="category")),
                ("quantity", models.PositiveIntegerField(verbose_name="quantity")),
                (
                    "unit_price_currency",
                    djmoney.models.fields.CurrencyField(
                        choices=[("EUR", "Euro")], default="EUR", editable=False, max_length=3
                    ),
                ),
                (
                    "unit_price",
                    djmoney.models.fields.MoneyField(decimal_places=2, max_digits=9, verbose_name="price of one"),
                ),
                (
                    "total_currency",
                    djmoney.models.fields.CurrencyField(
                        choices=[("EUR", "Euro")], default="EUR", editable=False, max_length=3
                    ),
                ),
                (
                    "total",
                    djmoney.models.fields.MoneyField(decimal_places=2, max_digits=9, verbose_name="price of all"),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="shop.order",
                        verbose_name="order",
                    ),
                ),
            ],
            options={
                "verbose_name": "order line",
                "verbose_name_plural": "order lines",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "reference",
                    models.CharField(
                        default=example_site.shop.models.orders.make_reference,
                        max_length=40,
                        unique=True,
                        verbose_name="reference",
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("card", "Card"),
                            ("declined_card", "Card that is declined"),
                            ("bank", "Bank transfer"),
                        ],
                        max_length=20,
                        verbose_name="payment method",
                    ),
                ),
                (
                    "amount_currency",
                    djmoney.models.fields.CurrencyField(
                        choices=[("EUR", "Euro")], default="EUR", editable=False, max_length=3
                    ),
                ),
                ("amount", djmoney.models.fields.MoneyField(decimal_places=2, max_digits=9, verbose_name="amount")),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Waiting for the provider"), ("succeeded", "Paid"), ("failed", "Failed")],
                        db_index=True,
                        default="pending",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="begun")),
                ("answered_at", models.DateTimeField(blank=True, null=True, verbose_name="answered")),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="payments",
                        to="shop.order",
                        verbose_name="order",
                    ),
                ),
            ],
            options={
                "verbose_name": "payment",
                "verbose_name_plural": "payments",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Product",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sku", models.CharField(max_length=40, unique=True, verbose_name="article number")),
                ("title", models.CharField(max_length=120, verbose_name="name")),
                ("slug", models.SlugField(unique=True, verbose_name="short name for addresses")),
                ("summary", models.CharField(blank=True, max_length=200, verbose_name="one line about it")),
                (
                    "price_currency",
                    djmoney.models.fields.CurrencyField(
                        choices=[("EUR", "Euro")], default="EUR", editable=False, max_length=3
                    ),
                ),
                ("price", djmoney.models.fields.MoneyField(decimal_places=2, max_digits=9, verbose_name="price")),
                ("stock", models.PositiveIntegerField(default=0, verbose_name="pieces in stock")),
                (
                    "delivery_days_min",
                    models.PositiveSmallIntegerField(default=2, verbose_name="delivery takes at least (days)"),
                ),
                (
                    "delivery_days_max",
                    models.PositiveSmallIntegerField(default=4, verbose_name="delivery takes at most (days)"),
                ),
                ("is_for_sale", models.BooleanField(default=True, verbose_name="for sale")),
                (
                    "choices_text",
                    models.TextField(
                        blank=True,
                        help_text="What it comes in, one in a line, all at the same price: “Loose leaf”, “In bags”. Leave it empty if there is nothing to choose. Whoever has a renamed choice in the cart is asked to choose again.",
                        max_length=1000,
                        verbose_name="choices",
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="products",
                        to="shop.category",
                        verbose_name="category",
                    ),
                ),
            ],
            options={
                "verbose_name": "product",
                "verbose_name_plural": "products",
                "ordering": ["category", "pk"],
            },
        ),
        migrations.CreateModel(
            name="PriceRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "price_currency",
                    djmoney.models.fields.CurrencyField(
                        choices=[("EUR", "Euro")], default="EUR", editable=False, max_length=3
                    ),
                ),
                ("price", djmoney.models.fields.MoneyField(decimal_places=2, max_digits=9, verbose_name="price")),
                ("since", models.DateTimeField(default=django.utils.timezone.now, verbose_name="from")),
                ("until", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="prices",
                        to="shop.product",
                        verbose_name="product",
                    ),
                ),
            ],
            options={
                "verbose_name": "price of a product",
                "verbose_name_plural": "prices of products",
                "ordering": ["product", "since"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="FeaturedProduct",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sort_order", models.IntegerField(blank=True, editable=False, null=True)),
                (
                    "page",
                    modelcluster.fields.ParentalKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="featured_products",
                        to="shop.homepage",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="shop.product",
                        verbose_name="product",
                    ),
                ),
            ],
            options={
                "ordering": ["sort_order"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ProductPage",
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
                    "image_alt",
                    models.CharField(
                        blank=True,
                        help_text="For people who do not see it: “Green leaves in an open tin”.",
                        max_length=200,
                        verbose_name="description of the picture",
                    ),
                ),
                (
                    "story",
                    wagtail.fields.StreamField(
                        [("text", 0), ("facts", 4), ("note", 5)],
                        blank=True,
                        block_lookup={
                            0: (
                                "wagtail.blocks.RichTextBlock",
                                (),
                                {
                                    "features": ["bold", "italic", "link", "ol", "ul"],
                                    "icon": "pilcrow",
                                    "label": "Text",
                                },
                            ),
                            1: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {"help_text": "For example: Origin", "label": "What", "max_length": 60},
                            ),
                            2: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {"help_text": "For example: Uji, Japan", "label": "Value", "max_length": 200},
                            ),
                            3: ("wagtail.blocks.StructBlock", [[("label", 1), ("value", 2)]], {}),
                            4: (
                                "wagtail.blocks.ListBlock",
                                (3,),
                                {"icon": "list-ul", "label": "Details", "template": "shop/blocks/facts.html"},
                            ),
                            5: (
                                "wagtail.blocks.CharBlock",
                                (),
                                {
                                    "help_text": "A sentence from the people behind the counter.",
                                    "icon": "openquote",
                                    "label": "Note from us",
                                    "max_length": 280,
                                    "template": "shop/blocks/note.html",
                                },
                            ),
                        },
                        verbose_name="about it",
                    ),
                ),
                (
                    "image",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtailimages.image",
                        verbose_name="picture",
                    ),
                ),
                (
                    "product",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="page",
                        to="shop.product",
                        verbose_name="product",
                    ),
                ),
            ],
            options={
                "verbose_name": "product page",
            },
            bases=("wagtailcore.page",),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(("discount__gte", 0), ("shipping__gte", 0), ("subtotal__gte", 0), ("total__gte", 0)),
                name="shop_order_amounts_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.UniqueConstraint(
                fields=("order", "product_ref", "options"), name="shop_orderline_product_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gte", 1)), name="shop_orderline_quantity_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "pending")), fields=("order",), name="shop_payment_one_pending_per_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "succeeded")), fields=("order",), name="shop_payment_one_success_per_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(("price__gte", 0)), name="shop_product_price_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(("delivery_days_min__lte", models.F("delivery_days_max"))),
                name="shop_product_delivery_days_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="pricerecord",
            constraint=models.UniqueConstraint(
                condition=models.Q(("until", None)), fields=("product",), name="shop_pricerecord_one_price_today"
            ),
        ),
        migrations.AddConstraint(
            model_name="pricerecord",
            constraint=models.CheckConstraint(
                condition=models.Q(("until", None), ("until__gte", models.F("since")), _connector="OR"),
                name="shop_pricerecord_in_order",
            ),
        ),
    ]
