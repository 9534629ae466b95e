"""What the blocks of a mail show: pictures, products and coupons as values, the same for HTML and for text."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coupons.wording import good_for

from ..texts import format_deadline_in_full, format_money
from ..values import OrderLine, Product
from .placeholders import clean_value
from .writing import absolute_url

if TYPE_CHECKING:
    from coupons.models import Coupon

    from ..followups.facts import MailFacts

logger = logging.getLogger(__name__)

#: Width of what is inside the layout's margins, in CSS pixels.
CONTENT_WIDTH: Final = 560
#: Twice that, for sharp screens; the height keeps a portrait from filling the whole mail.
RENDITION: Final = "max-1120x1400"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture as it stands in a mail."""

    src: str
    alt: str
    #: In CSS pixels.
    width: int
    url: str = ""


def find_picture(image: Any, *, url: str, base_url: str) -> Picture | None:
    """Return a Wagtail image as a picture; None without one, or if nothing of it can be said.

    A file that is gone leaves its alternative text: better than a mail that is not sent.
    """
    if image is None:
        return None
    alt = "" if getattr(image, "decorative", False) else str(getattr(image, "contextual_alt_text", "") or "")
    try:
        rendition = image.get_rendition(RENDITION)
        src, width = absolute_url(rendition.url, base_url=base_url), min(rendition.width, CONTENT_WIDTH)
    except Exception:
        logger.exception("The picture %s of a mail could not be made.", getattr(image, "pk", None))
        src, width = "", CONTENT_WIDTH
    return Picture(src=src, alt=alt, width=width, url=url) if src or alt else None


@dataclass(frozen=True, kw_only=True)
class Item:
    """A product as it stands in a mail: link, picture and price where they are known."""

    title: str
    url: str = ""
    image_url: str = ""
    price: str = ""
    #: What else there is to say: chosen options, "sold out at the moment".
    note: str = ""

    def as_text(self) -> str:
        """Return it as an entry of a list, its address below."""
        first = ", ".join(part for part in (self.title, self.note, self.price) if part)
        return f"* {first}" + (f"\n  {self.url}" if self.url else "")


def find_items(facts: MailFacts, *, bought: bool, count: int) -> tuple[list[Item], str]:
    """Return up to ``count`` products of a mail, and a sentence about those that are left out."""
    lines = facts.order.lines if facts.order is not None else ()
    if bought or not facts.products:
        items = [_of_line(line, facts) for line in lines]
    else:
        items = [_of_product(product, facts) for product in facts.products]
    items = [item for item in items if item.title]
    left = len(items) - count
    more = ngettext("And %(n)d more.", "And %(n)d more.", left) % {"n": left} if left > 0 else ""
    return items[:count], more


def _of_product(product: Product, facts: MailFacts) -> Item:
    return Item(
        title=clean_value(product.title, limit=200),
        url=absolute_url(product.url, base_url=facts.base_url),
        image_url=_picture_url(product.image_url, facts),
        price=format_money(product.price) if product.price is not None and product.available else "",
        note="" if product.available else _("sold out at the moment"),
    )


def _of_line(line: OrderLine, facts: MailFacts) -> Item:
    # What was paid stands on the invoice; here it would read like an offer.
    quantity = f"{line.quantity} ×" if line.quantity > 1 else ""
    return Item(
        title=clean_value(f"{quantity} {line.title}", limit=200),
        url=absolute_url(line.url, base_url=facts.base_url),
        image_url=_picture_url(line.image_url, facts),
        note=clean_value(line.options),
    )


def _picture_url(url: str, facts: MailFacts) -> str:
    whole = absolute_url(url, base_url=facts.base_url)
    return "" if whole.lower().startswith("mailto:") else whole


@dataclass(frozen=True, kw_only=True)
class CouponCard:
    """A coupon as it stands in a mail."""

    worth: str
    #: Empty for a locked coupon, whose code shows itself later (CO-9).
    code: str = ""
    #: Leads to the questions of a locked coupon.
    unlock_url: str = ""
    #: Until when, conditions, how it is used: sentences.
    facts: tuple[str, ...] = ()

    @property
    def unlock_label(self) -> str:
        return _("Answer the questions")

    @property
    def code_label(self) -> str:
        return _("Your code")

    def as_text(self) -> list[str]:
        """Return it as paragraphs."""
        code = f"{self.code_label}: {self.code}" if self.code else ""
        unlock = f"{self.unlock_label}:\n{self.unlock_url}" if self.unlock_url else ""
        return [self.worth, code, unlock, "\n".join(self.facts)]


def is_usable(coupon: Coupon, *, now: datetime, is_preview: bool = False) -> bool:
    """Tell whether a coupon can be used now, or unlocked: a mail must not show what the checkout refuses (CD-5).

    In a preview, that of a campaign that is not running yet is shown too.
    """
    return (
        coupon.state != coupon.State.REVOKED
        and not coupon.is_over(now)
        and not coupon.is_used_up()
        and (is_preview or coupon.campaign.is_running(now))
    )


def find_coupon_card(facts: MailFacts, *, how: str) -> CouponCard | None:
    """Return the mail's coupon; None if there is none that can be used."""
    from coupons.links import unlock_path

    coupon = facts.coupon
    if coupon is None or not is_usable(coupon, now=facts.now, is_preview=facts.is_preview):
        return None
    campaign, end = coupon.campaign, coupon.valid_until
    is_locked = coupon.state == coupon.State.LOCKED
    sentences = []
    if end is not None:
        words = _("Can be unlocked until %(end)s.") if is_locked else _("Valid until %(end)s.")
        sentences.append(words % {"end": format_deadline_in_full(end)})
    if is_locked:
        sentences.append(_("The code is yours as soon as the questions are answered."))
        if coupon.deadline_minutes:
            sentences.append(good_for(coupon.deadline_minutes))
    sentences += [clean_value(campaign.terms, limit=None), "" if is_locked else how]
    return CouponCard(
        worth=clean_value(campaign.headline),
        code="" if is_locked else coupon.display_code,
        unlock_url=absolute_url(unlock_path(coupon), base_url=facts.base_url) if is_locked else "",
        facts=tuple(sentence for sentence in sentences if sentence),
    )


def find_offer(facts: MailFacts) -> str:
    """Return the mail's offer as a sentence with its end; empty if there is no end, or if it cannot be used."""
    coupon = facts.coupon
    if (
        coupon is None
        or coupon.valid_until is None
        or not is_usable(coupon, now=facts.now, is_preview=facts.is_preview)
    ):
        return ""
    if coupon.state == coupon.State.LOCKED:
        return ""
    return offer_sentence(coupon)


def offer_sentence(coupon: Coupon) -> str:
    """Return "Your offer: Free shipping until Monday, 3 March 2026, 18:30 (CET).": the whole date, because a mail is read
    later than it is written.
    """
    worth, end = clean_value(coupon.campaign.headline), coupon.valid_until
    if end is None:
        return _("Your offer: %(worth)s.") % {"worth": worth}
    return _("Your offer: %(worth)s until %(end)s.") % {"worth": worth, "end": format_deadline_in_full(end)}


@dataclass(frozen=True, kw_only=True)
class OrderOffer:
    """What an order was promised, as it stands in the shop's own mail about it."""

    sentence: str
    #: Empty for a locked coupon.
    code: str = ""
    terms: str = ""


def find_order_offers(*, number: str, now: datetime | None = None) -> list[OrderOffer]:
    """Return what an order was promised and its customer can still use. One query, whatever the order."""
    from coupons.models import Coupon

    from ..promises import order_number_of

    now = now or timezone.now()
    given = Coupon.objects.filter(issue_key__startswith=f"order:{number}:campaign:").select_related("campaign")
    return [
        OrderOffer(
            sentence=offer_sentence(coupon),
            code=coupon.display_code if coupon.state == Coupon.State.AVAILABLE else "",
            terms=clean_value(coupon.campaign.terms, limit=None),
        )
        for coupon in given.order_by("pk")
        if order_number_of(coupon) == number and is_usable(coupon, now=now)
    ]
