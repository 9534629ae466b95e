"""The static page that a thank-you page is compared with: what Wagtail does for any page of a dozen blocks."""

from __future__ import annotations

from wagtail import blocks
from wagtail.fields import StreamField
from wagtail.models import Page


class StaticPage(Page):
    """Headings and rich text, the same for everybody."""

    body = StreamField([("heading", blocks.CharBlock()), ("text", blocks.RichTextBlock())])

    template = "benchmarks/static_page.html"
