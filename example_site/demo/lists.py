"""The demo's lists: a customer's wish list and saved things, two questions to the shop, and three months of saving."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone

from example_site.shop.models import Product
from example_site.shop.store import ExampleStore
from wishlists.inquiries import ask
from wishlists.kinds import SAVED
from wishlists.lists import create_list, put_on_list
from wishlists.models import Inquiry, ListItem, ProductList
from wishlists.saves import record_purchase, record_saves

WISH_LIST = "For my birthday"
#: What stands on it: reference, pieces, note, priority.
WISHES = (
    ("earl-grey", 2, "The tin, please, not the bag", ListItem.Priority.HIGH),
    ("mountain-oolong", 1, "", ListItem.Priority.NORMAL),
    ("stovetop-kettle", 1, "Any colour", ListItem.Priority.LOW),
)
SAVED_FOR_LATER = ("jasmine-pearls", "candied-ginger")
#: Accounts that have saved something in the last weeks. Nobody can log in to them.
SAVERS = 24
WEEKS = 12


def load_lists() -> None:
    """Load them once, if the demo's customer has no list yet."""
    users = get_user_model().objects
    customer = users.get(username="customer@example.com")
    if ProductList.objects.of(customer).exists():
        return
    by_slug = dict(Product.objects.values_list("slug", "sku"))
    cards = ExampleStore().get_products(refs=by_slug.values())
    wishes = create_list(user=customer, name=WISH_LIST)
    for slug, quantity, note, priority in WISHES:
        ref = by_slug[slug]
        put_on_list(list=wishes, product_ref=ref, quantity=quantity, note=note, priority=priority, card=cards[ref])
    saved = ProductList.objects.create(owner=customer, kind=SAVED)
    for slug in SAVED_FOR_LATER:
        card = cards[by_slug[slug]]
        ListItem.objects.create(list=saved, product_ref=card.ref, title=card.title, price=card.price)
    load_questions(cards[by_slug["earl-grey"]], cards[by_slug["stovetop-kettle"]])
    load_saves(users, [cards[ref] for ref in by_slug.values()])


def load_questions(tea: Any, kettle: Any) -> None:
    """One that waits for an answer, and one that has had it."""
    ask(
        email="nora@example.com",
        name="Nora",
        text="Is it still good with milk? My mother drinks hers that way.",
        products=[as_row(tea)],
        language="en-gb",
    )
    ask(
        email="tom@example.com",
        name="Tom",
        text="Does it work on an induction hob?",
        products=[as_row(kettle)],
        language="en-gb",
    )
    now = timezone.now()
    Inquiry.objects.filter(email="tom@example.com").update(
        state=Inquiry.State.ANSWERED,
        created_at=now - timedelta(days=3),
        answer="Hello Tom,\n\nyes, it does, and on gas too.\n\nEdda of Kettle & Fern",
        answered_at=now - timedelta(days=2),
        mailed_at=now - timedelta(days=2),
    )


def as_row(card: Any) -> dict[str, Any]:
    """Return a product as a question names it."""
    return {"product_ref": card.ref, "title": card.title, "url": settings.SHOP_BASE_URL.rstrip("/") + card.url}


def load_saves(users: Any, cards: list[Any]) -> None:
    """Twelve weeks in which accounts saved this and that, and bought some of it. The same in every demo."""
    now = timezone.now()
    for number in range(SAVERS):
        name = f"saver-{number:02}@example.com"
        saver, created = users.get_or_create(username=name, defaults={"email": name})
        if created:
            saver.set_unusable_password()
            saver.save(update_fields=["password"])
        # The first products are liked by most.
        liked = [card for place, card in enumerate(cards) if (number * 7 + place * 3) % (place + 2) == 0]
        at = now - timedelta(days=(number * 37) % (WEEKS * 7))
        record_saves(user=saver, titles={card.ref: card.title for card in liked}, now=at)
        bought = [card.ref for card in liked[number % 3 :: 3]]
        record_purchase(user=saver, product_refs=bought, now=min(now, at + timedelta(days=4)))
