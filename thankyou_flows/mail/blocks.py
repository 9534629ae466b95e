"""Blocks of a mail: each shows itself as HTML for mail programs, and as plain text."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail import blocks


class MailBlock(blocks.StructBlock):
    """One piece of a mail. Subclass it, give it a template and a ``render_text``."""


class MailStreamBlock(blocks.StreamBlock):
    """The blocks of this package. A site with blocks of its own subclasses it."""

    text = blocks.RichTextBlock(label=_("Text"))

    class Meta:
        label = _("Mail")
