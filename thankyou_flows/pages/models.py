"""The ready-made thank-you page."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import TitleFieldPanel
from wagtail.models import Page

from ..page import ThankYouPageMixin, edit_handler


class ThankYouPage(ThankYouPageMixin, Page):
    """What customers see after they ordered. Arrange blocks, and say when the page is shown."""

    page_description = _("What customers see after they ordered")
    show_in_menus_default = False
    subpage_types: ClassVar[list[str]] = []

    edit_handler = edit_handler(
        content_panels=[
            TitleFieldPanel("title", help_text=_("Only you see it, in the list of pages. Customers see the headline.")),
        ],
        settings_panels=Page.settings_panels,
    )

    class Meta:
        verbose_name = _("thank-you page")
        verbose_name_plural = _("thank-you pages")
