"""Template tags: blocks with their flow, forms of action blocks, money and times."""

from __future__ import annotations

import inspect
import logging
from datetime import date, datetime
from typing import Any

from django import template
from django.conf import settings as django_settings
from django.template.context import Context
from django.template.loader import render_to_string
from django.templatetags.cache import CacheNode
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from djmoney.money import Money
from wagtail.rich_text import expand_db_html

from ..flow import Flow
from ..mail.cards import find_order_offers
from ..texts import fill_placeholders, format_day, format_deadline, format_money, format_remaining
from ..values import Order

logger = logging.getLogger(__name__)
register = template.Library()


class CachedOrderError(RuntimeError):
    """Raised in development when an order is about to be put into a template fragment cache (TY-6)."""


@register.simple_tag(takes_context=True)
def flow_blocks(context: Context, stream: Any, placement: str = "") -> SafeString:
    """Render the blocks of a StreamField, each in a section with its id, so that an action can lead back to it.

    ``placement`` ("main" or "aside") picks the blocks of one column. Blocks that have nothing to say leave no trace.
    With DEBUG on, raises CachedOrderError inside ``{% cache %}`` when there is an order.
    """
    if django_settings.DEBUG:
        _refuse_fragment_cache(context)
    parts = []
    for child in stream or ():
        block_placement = getattr(child.block, "placement", "main")
        if placement and placement != block_placement:
            continue
        html = _render_child(child, context)
        if html.strip():
            parts.append((child.id or "", child.block_type.replace("_", "-"), html))
    return format_html_join("\n", '<section class="ty-block ty-block--{1}" id="block-{0}">{2}</section>', parts)


def _render_child(child: Any, context: Context) -> str:
    values = {**context.flatten(), "block_id": child.id or ""}
    try:
        return str(child.render(values))
    except Exception:
        # Blocks that are not ours may raise too; the order is still shown (TY-10).
        logger.exception("Block %s could not be rendered and was left out.", child.block_type)
        return ""


def _refuse_fragment_cache(context: Context) -> None:
    flow = context.get("flow")
    if not isinstance(flow, Flow) or not flow.has_order:
        return
    frame = inspect.currentframe()
    while frame is not None:
        if isinstance(frame.f_locals.get("self"), CacheNode):
            raise CachedOrderError(
                "flow_blocks stands inside {% cache %}: the next visitor would see this order. Take it out."
            )
        frame = frame.f_back


@register.simple_tag(takes_context=True)
def action_url(context: Context) -> str:
    """Return where the form of the current action block is sent."""
    page = context.get("page") or context.get("self")
    page_id = getattr(page, "pk", None) or 0
    return reverse("thankyou_flows:act", args=[page_id, str(context.get("block_id") or "preview")])


@register.simple_tag(takes_context=True)
def action_fields(context: Context) -> SafeString:
    """Return the hidden fields that every action form needs."""
    flow = context.get("flow")
    number = flow.order.number if isinstance(flow, Flow) and flow.order is not None else ""
    url = flow.url if isinstance(flow, Flow) else ""
    return format_html(
        '<input type="hidden" name="order" value="{}"><input type="hidden" name="next" value="{}">', number, url
    )


@register.filter
def money(amount: Money | None) -> str:
    """Write an amount as the customer's locale does."""
    return "" if amount is None else format_money(amount)


@register.filter
def deadline(ends_at: datetime) -> str:
    """Write a point in time in words, with its zone."""
    return format_deadline(ends_at)


@register.simple_tag
def remaining(ends_at: datetime, now: datetime | None = None) -> str:
    """Write how much time is left, rounded down to the minute."""
    return format_remaining(ends_at, now=now or timezone.now())


@register.filter
def day(value: date) -> str:
    """Write a day with its weekday."""
    return format_day(value)


@register.filter
def filled(text: Any, flow: Flow) -> SafeString:
    """Fill the placeholders of a plain text, escaped."""
    return conditional_escape(fill_placeholders(str(text), flow))


@register.filter
def filled_richtext(value: Any, flow: Flow) -> SafeString:
    """Expand rich text and fill its placeholders; what is filled in is escaped."""
    source = getattr(value, "source", value) or ""
    html = expand_db_html(str(source))
    html = _fill_html(html, flow) if flow.order is not None else fill_placeholders(html, flow)
    return mark_safe(html)  # noqa: S308  Wagtail's own clean HTML, with escaped values in it


def _fill_html(html: str, flow: Flow) -> str:
    from dataclasses import replace

    assert flow.order is not None
    escaped: Order = replace(
        flow.order,
        first_name=str(conditional_escape(flow.order.first_name)),
        number=str(conditional_escape(flow.order.number)),
    )
    return fill_placeholders(html, replace(flow, order=escaped))


@register.simple_tag
def order_offers(number: Any, format: str = "html") -> SafeString:
    """Write what an order was promised, for the shop's own mail about it: "Your offer: Free shipping until Monday,
    3 March 2026, 18:30 (CET). Your code: 7K3M-…", with the end that the checkout keeps. Nothing if there is nothing that
    can still be used. ``{% order_offers order.number %}``, and ``{% order_offers order.number format="text" %}`` for plain
    text. Costs one query; whatever goes wrong is logged and writes nothing: the shop's mail goes out.

    A coupon makes a mail that would be needed anyway an advertisement in some countries, so that it needs consent or the
    soft opt-in (EM-11; in Germany BGH VI ZR 225/17). Put it only where that is settled.
    """
    try:
        said = find_order_offers(number=str(number))
        if not said:
            return mark_safe("")
        text_or_html = "txt" if format == "text" else "html"
        return mark_safe(
            render_to_string(f"thankyou_flows/email/order_offers.{text_or_html}", {"offers": said}).strip()
        )  # noqa: S308
    except Exception:
        logger.exception("What an order was promised could not be written into a mail.")
        return mark_safe("")
