"""What a follow-up's mail may speak of: gathered anew each time, from today's shop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from coupons.holders import customer_key
from coupons.models import Coupon

from ..models import Message, OrderRecord
from ..orders import is_first_order
from ..rules import Facts as RuleFacts
from ..stores import get_store
from ..values import Order, Product
from .triggers import About, get_trigger

#: Products of a long list that a mail looks up.
MOST_PRODUCTS: Final = 50


@dataclass(frozen=True, kw_only=True)
class MailFacts:
    """Everything that the blocks, placeholders and rules of one mail may look at."""

    now: datetime
    #: The order it is about, or the customer's latest one; None if there is none.
    order: Order | None = None
    #: The coupon it is about, or that it carries.
    coupon: Coupon | None = None
    #: What it is about, or what was bought or saved: for the block "products".
    products: tuple[Product, ...] = ()
    first_name: str = ""
    shop_name: str = ""
    shop_url: str = "/"
    #: "https://shop.example", before every path.
    base_url: str = ""
    #: Where the customer leads from here: the list, the question's product, the download.
    url: str = ""
    #: Name of the list, the download, or what else it is about.
    title: str = ""
    preferences_url: str = ""
    unsubscribe_url: str = ""
    is_preview: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """What a message is about, beside its order."""

    refs: tuple[str, ...] = ()
    url: str = ""
    title: str = ""
    first_name: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


def gather(message: Message, *, now: datetime) -> MailFacts:
    """Return the facts of a message. Costs the same whatever the order's number of lines. Writes nothing: the carried
    coupon is issued by ``composing.compose``.

    ``url`` is empty for an order: the link to its thank-you page is a secret that is made when the mail is written.
    ``extra`` has ``event`` (a CatalogEvent), ``inquiry`` or ``list`` (a ProductList), as it is about one. Raises ValueError
    if nobody has said what links begin with (``mail.links.base_url``).
    """
    from ..mail import links

    store = get_store()
    order = find_order(number=order_number(message), email_key=message.email_key)
    subject = _subject_of(message)
    refs = subject.refs or (tuple(line.product_ref for line in order.lines if line.product_ref) if order else ())
    base_url = links.base_url()
    return MailFacts(
        now=now,
        order=order,
        coupon=find_coupon(message),
        products=_products(refs),
        first_name=order.first_name if order is not None and order.first_name else subject.first_name,
        shop_name=" ".join(str(getattr(settings, "WAGTAIL_SITE_NAME", "") or urlsplit(base_url).netloc).split()),
        shop_url=urljoin(f"{base_url}/", store.get_shop_url()),
        base_url=base_url,
        url=urljoin(f"{base_url}/", subject.url) if subject.url else "",
        title=subject.title,
        preferences_url=links.preferences_url(message),
        unsubscribe_url=links.unsubscribe_url(message),
        extra=subject.extra,
    )


def rule_facts(facts: MailFacts) -> RuleFacts:
    """Return the same for ``rules.rules_hold``. Without an order, rules that need one do not hold."""
    return facts_for_rules(order=facts.order, now=facts.now)


def facts_for_rules(*, order: Order | None, now: datetime) -> RuleFacts:
    """Return what rules may look at; whether it is a first order is only looked up if a rule asks."""
    if order is None:
        return RuleFacts(order=None, now=now)
    key = customer_key(order.email) if order.email else ""
    return RuleFacts(order=order, now=now, find_first_order=cache(partial(is_first_order, order=order, key=key)))


def order_number(message: Message) -> str:
    """Return the number of the order that a message is about, or that led to its coupon; an empty text for none.

    The one place that decides it: what the message says itself, else its ``ref`` where that is the number of an order.
    """
    number = message.context.get("order") if isinstance(message.context, dict) else ""
    trigger = get_trigger(message.reason)
    if not number and trigger is not None and trigger.about in {About.ORDER, About.CUSTOMER}:
        number = message.ref
    return str(number or "")


def find_order(*, number: str, email_key: str) -> Order | None:
    """Return the order with this number, or without a number the customer's latest one that came to something. Never
    somebody else's: one whose address has changed is not this person's any more.
    """
    if not number:
        latest = OrderRecord.objects.of_customer(email_key).counting().order_by("-placed_at", "-pk")
        number = latest.values_list("number", flat=True).first() or ""
    order = get_store().get_order(number=number) if number else None
    if order is None or not order.email or customer_key(order.email) != email_key:
        return None
    return order


def find_coupon(message: Message) -> Coupon | None:
    """Return the coupon that a message is about or carries, with its campaign, as it is now."""
    if message.coupon_id is None:
        return None
    return Coupon.objects.select_related("campaign").filter(pk=message.coupon_id).first()


def _products(refs: Iterable[str]) -> tuple[Product, ...]:
    """Return products as the shop has them today, in this order, each once; what has left the shop is left out."""
    wanted = list(dict.fromkeys(refs))
    found = get_store().get_products(refs=wanted) if wanted else {}
    return tuple(found[ref] for ref in wanted if ref in found)


def _subject_of(message: Message) -> _Subject:
    trigger = get_trigger(message.reason)
    about = trigger.about if trigger is not None else None
    if about == About.LIST:
        return _list(message)
    if about == About.ITEM:
        return _item(message)
    if about == About.INQUIRY:
        return _inquiry(message)
    # A download says itself what it is, and so may what a site has registered.
    known = message.context if isinstance(message.context, dict) else {}
    refs = known.get("products")
    return _Subject(
        refs=tuple(map(str, refs)) if isinstance(refs, list) else (),
        url=str(known.get("url") or ""),
        title=str(known.get("title") or ""),
    )


def _list(message: Message) -> _Subject:
    from wishlists.models import ProductList

    found = ProductList.objects.select_related("owner").filter(pk=message.ref).first()
    if found is None:
        return _Subject()
    refs = found.items.order_by("-pk").values_list("product_ref", flat=True)[:MOST_PRODUCTS]
    args = [found.key] if found.kind == ProductList.Kind.WISH else []
    return _Subject(
        refs=tuple(refs),
        url=_path("list" if args else "saved", *args),
        title=str(found),
        first_name=found.owner.get_short_name() if hasattr(found.owner, "get_short_name") else "",
        extra={"list": found},
    )


def _item(message: Message) -> _Subject:
    from django.contrib.auth import get_user_model

    from wishlists.models import CatalogEvent

    event_pk, _colon, owner_pk = message.ref.partition(":")
    event = CatalogEvent.objects.filter(pk=event_pk).first()
    if event is None:
        return _Subject()
    owner: Any = get_user_model()._default_manager.filter(pk=owner_pk).first()
    return _Subject(
        refs=(event.product_ref,),
        url=_path("saved"),
        title=event.title,
        first_name=owner.get_short_name() if hasattr(owner, "get_short_name") else "",
        extra={"event": event},
    )


def _inquiry(message: Message) -> _Subject:
    from wishlists.models import Inquiry

    inquiry = Inquiry.objects.filter(pk=message.ref).first()
    if inquiry is None:
        return _Subject()
    asked = [product for product in inquiry.products if isinstance(product, dict)]
    first: dict[str, Any] = next(iter(asked), {})
    return _Subject(
        refs=tuple(str(product.get("product_ref")) for product in asked[:MOST_PRODUCTS] if product.get("product_ref")),
        url=str(first.get("url") or ""),
        title=str(first.get("title") or ""),
        # The name was typed by whoever asked: it greets nobody (EM-3).
        extra={"inquiry": inquiry},
    )


def _path(name: str, *args: str) -> str:
    try:
        return reverse(f"thankyou_wishlists:{name}", args=args)
    except NoReverseMatch:  # a shop that shows its lists at addresses of its own
        return ""
