"""What makes a Wagtail page a thank-you page. Mix it into a page type of your own, or use ``thankyou_flows.pages``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.http import HttpResponseBase
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, HelpPanel, MultiFieldPanel, ObjectList, TabbedInterface
from wagtail.fields import RichTextField, StreamField
from wagtail.rich_text import RichText

from .blocks import FlowStreamBlock
from .blocks.content import RICH_TEXT_FEATURES
from .flow import Flow
from .headers import add_private_headers
from .outcomes import flow_of
from .rules import RuleStreamBlock
from .samples import SAMPLES, sample_flow
from .values import OrderState

if TYPE_CHECKING:
    from django.http import HttpRequest


def default_body() -> list[tuple[str, Any]]:
    """Return the blocks that a new page starts with: useful as they are (requires no campaign)."""
    children = FlowStreamBlock().child_blocks
    # Each with all its fields: a page that was never saved is previewed, too.
    text = children["text"].get_default()
    text["text"] = RichText(
        gettext("<p>You will get a mail when your parcel is on its way. Until then you can lean back.</p>")
    )
    # To a cancelled or an unpaid order it would be untrue.
    text["show"]["states"] = [OrderState.PAID.value]
    return [
        ("status", children["status"].get_default()),
        ("text", text),
        ("newsletter", children["newsletter"].get_default()),
        ("summary", children["summary"].get_default()),
    ]


class ThankYouPageMixin(models.Model):
    """Fields and behaviour of a thank-you page. Put it before ``Page`` in the bases of a page type.

    The page's own address in the tree shows the generic page: orders are shown at the addresses of
    ``thankyou_flows.urls``, which do not depend on slugs.
    """

    headline = models.CharField(
        _("headline"),
        max_length=120,
        default=_("Thank you, {first_name}"),
        help_text=_("You can write {first_name} and {order_number}; they are filled in for the customer."),
    )
    body = StreamField(FlowStreamBlock(), verbose_name=_("blocks"), default=default_body, blank=True)
    generic_text = RichTextField(
        _("text for visitors whose order we do not know"),
        features=RICH_TEXT_FEATURES,
        blank=True,
        default=_(
            "<p>Thank you for being here. To see an order, open the link in its confirmation mail on this device, "
            "or sign in to your account.</p>"
        ),
        help_text=_("Strangers, expired links and mistyped addresses all see this, and nothing else of an order."),
    )
    priority = models.IntegerField(
        _("priority"),
        default=0,
        help_text=_("If several pages fit an order, the one with the highest number is shown."),
    )
    rules = StreamField(
        RuleStreamBlock(),
        verbose_name=_("rules"),
        blank=True,
        help_text=_("All rules must hold. A page without rules is shown when no other fits."),
    )

    content_panels_of_flow = [FieldPanel("headline"), FieldPanel("body")]
    rule_panels = [
        HelpPanel(
            content=_(
                "<p>Each order gets the page with the highest priority whose rules all hold. "
                "Keep one page without rules: it is the fallback for everybody else.</p>"
            )
        ),
        FieldPanel("rules"),
        FieldPanel("priority"),
    ]
    stranger_panels = [FieldPanel("generic_text")]

    class Meta:
        abstract = True

    # Rendering ------------------------------------------------------------------------------------

    def get_flow(self, request: HttpRequest) -> Flow:
        """Return the flow that the view put on the request, or one without an order."""
        return flow_of(request)

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)  # type: ignore[misc]
        context["flow"] = self.get_flow(request)
        return context

    def get_template(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the page type's own template if the site has one, and else ours.

        A ``template`` attribute would not do: Wagtail's page metaclass gives every concrete type its own.
        """
        return [super().get_template(request, *args, **kwargs), "thankyou_flows/thank_you_page.html"]  # type: ignore[misc]

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Serve the page. Never cached and never indexed, whatever it shows (TY-6)."""
        response: HttpResponseBase = super().serve(request, *args, **kwargs)  # type: ignore[misc]
        return add_private_headers(response)

    def get_sitemap_urls(self, request: HttpRequest | None = None) -> list[dict[str, Any]]:
        """Return nothing: a thank-you page is in no sitemap (TY-6)."""
        return []

    def get_cached_paths(self) -> list[str]:
        """Return nothing: there is no cached copy of this page to purge (TY-6)."""
        return []

    # Preview --------------------------------------------------------------------------------------

    @property
    def preview_modes(self) -> list[tuple[str, Any]]:
        return [(name, label) for name, label in SAMPLES.items()]

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponseBase:
        """Show the page with a sample order. Writes nothing, sends nothing, and asks the shop nothing (CM-4)."""
        request.thankyou_flow = sample_flow(mode_name or next(iter(SAMPLES)))  # type: ignore[attr-defined]
        request.is_preview = True  # type: ignore[attr-defined]
        response: HttpResponseBase = super().serve_preview(request, mode_name)  # type: ignore[misc]
        return response


def edit_handler(*, content_panels: list[Any], settings_panels: list[Any]) -> TabbedInterface:
    """Build the editor of a thank-you page type: content, when it is shown, and Wagtail's own settings.

    There is no tab for search engines: the page is in none of them (TY-6).
    """
    return TabbedInterface(
        [
            ObjectList([*content_panels, *ThankYouPageMixin.content_panels_of_flow], heading=_("Content")),
            ObjectList(
                [
                    MultiFieldPanel(ThankYouPageMixin.rule_panels, heading=_("Show this page when…")),
                    MultiFieldPanel(ThankYouPageMixin.stranger_panels, heading=_("For everybody else")),
                ],
                heading=_("When to show"),
            ),
            ObjectList([FieldPanel("slug")], heading=_("Address")),
            ObjectList(settings_panels, heading=_("Settings")),
        ]
    )
