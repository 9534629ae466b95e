"""The static page that a thank-you page is compared with: what Wagtail does for any page of a dozen blocks.

And what else peers and floors need a table for.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from wagtail import blocks
from wagtail.fields import StreamField
from wagtail.models import Page


class StaticPage(Page):
    """Headings and rich text, the same for everybody."""

    body = StreamField([("heading", blocks.CharBlock()), ("text", blocks.RichTextBlock())])

    template = "benchmarks/static_page.html"


class Ware(models.Model):
    """A product as flexcommerce wants it: with a UUID."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.name


class BareItem(models.Model):
    """The least that a saved product is."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    product_ref = models.CharField(max_length=128)
    title = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "product_ref"], name="benchmarks_saved_once")]

    def __str__(self) -> str:
        return self.title
