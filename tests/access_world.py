"""The scene of the access matrix: a shop with two orders and an offer, the people, and how each got their rights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.core.cache import caches
from django.test import Client, TestCase
from django.urls import reverse
from djmoney.money import Money
from wagtail.models import GroupPagePermission

from coupons.holders import customer_key
from coupons.links import unlock_path
from coupons.models import Campaign, Coupon, Question
from thankyou_flows.links import make_order_link, revoke_order_links
from thankyou_flows.mail.links import Holder, make_token
from thankyou_flows.mail.suppression import meet
from thankyou_flows.models import OrderLink
from thankyou_flows.newsletter import subscribe
from thankyou_flows.pages.models import ThankYouPage
from thankyou_flows.stores import get_store

from .access_matrix import ShopRows

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
GRACE = timedelta(minutes=30)
LINK_LIFE = timedelta(days=21)
SECOND = timedelta(seconds=1)
SUBSCRIBER = "subscriber@example.com"


@dataclass(frozen=True)
class Person:
    """A customer; ``marker`` is in everything that is personal, and nowhere else."""

    marker: str
    item: str
    price: str

    @property
    def name(self) -> str:
        return f"{self.marker} Novak"

    @property
    def street(self) -> str:
        return f"{self.marker} Road 7"

    @property
    def email(self) -> str:
        return f"{self.marker.lower()}@example.com"


PEOPLE = {
    "guest": Person("Zanzibar", "Silver Needle", "17.43"),
    "account": Person("Timbuktu", "Golden Tips", "23.19"),
}


class Shop(Protocol):
    """What each shop of the test does in its own way."""

    #: Answers of the shop's own pages, by (address, method, what is sent).
    rows: ShopRows
    home: Any
    #: The address of its own that shows the codes on this browser's next checkout.
    lists_codes: str

    def buy(self, *, client: Client, person: Person) -> str:
        """Go through the shop's checkout with this browser, pay, and return the order's number."""

    def target(self, row: tuple[str, str, str], number: str) -> tuple[str, dict[str, str]]:
        """Return address and data of a request to one of ``rows``, about the order with this number."""

    def visit(self, client: Client, row: tuple[str, str, str]) -> None:
        """Do what comes before the request (something in the cart, for a checkout)."""


@dataclass
class Placed:
    """An order, and all that would betray it."""

    number: str
    browser: Client
    person: Person
    email: str = ""
    #: Kind → the strings that show it.
    evidence: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def shown_in(self, body: str) -> frozenset[str]:
        """Return what can be found of the order, in whatever case."""
        low = squeezed(body)
        found = {kind for kind, strings in self.evidence.items() if any(squeezed(s) in low for s in strings)}
        # A part of the name or the address is as bad as all of it.
        return frozenset(found | ({"personal data"} if self.person.marker.casefold() in low else set()))


@dataclass
class World:
    """A shop with two orders, a page with an offer, and people."""

    shop: Shop
    clock: Any
    orders: dict[str, Placed] = field(default_factory=dict)
    users: dict[str, Any] = field(default_factory=dict)
    page: Any = None
    newsletter_token: str = ""

    def mail_token(self, whose: str) -> str:
        """Return the token of the links in somebody's mails."""
        email = {"of the guest's mails": self.orders["guest"].email, "of the newsletter's mails": SUBSCRIBER}
        list_slug = "newsletter" if whose == "of the newsletter's mails" else ""
        key = customer_key(email.get(whose, "unknown@example.com"))
        return make_token(Holder(email_key=key, list_slug=list_slug))

    @property
    def blocks(self) -> dict[str, str]:
        """Return block type → id on the thank-you page."""
        return {child.block_type: child.id for child in self.page.body}

    def coupon(self, order: str, kind: str) -> Coupon | None:
        """Return the coupon that came with this order: the "offer", or the "locked" one that asks something."""
        if order not in self.orders:
            return None
        given = Coupon.objects.filter(issue_key__startswith=f"order:{self.orders[order].number}:")
        is_locked = kind == "locked"
        return given.select_related("campaign").get(campaign__benefit="amount" if is_locked else "free_shipping")

    def pressed(self, command: str) -> dict[str, str]:
        """Return what a button of a coupon's block or page sends; "answer" with what was answered."""
        [question] = Question.objects.all()
        answer = {f"answer-{question.clean_name}": "Oolong"} if command == "answer" else {}
        return {"command": command.partition(" ")[0]} | answer

    def number(self, order: str) -> str:
        if order in self.orders:
            return self.orders[order].number
        return re.sub(r"\d", "9", self.orders["guest"].number)


def squeezed(text: str) -> str:
    """Return the text so that a code is found in it as it is shown, and as it is stored."""
    return text.casefold().replace("-", "")


def verified_email(user: Any) -> str:
    """``THANKYOU_COUPONS["VERIFIED_EMAIL"]``: only A has proved an address."""
    return str(user.email) if user.get_username() == "A" else ""


def mangled(number: str) -> Iterator[str]:
    """Spellings near a true number, and nonsense."""
    yield f"{number} "
    yield number[:-1]
    yield f"{number}\x00"
    yield f"\u202e{number}"
    yield f"../{number}"
    yield number.lower() if number.lower() != number else f"0{number}"
    yield "' OR 1=1 --"
    yield "x" * 300


def put_cache_in_front(settings: Any) -> None:
    """Switch Django's own page cache on, around everything; rate limits and Wagtail keep a cache of their own."""
    settings.CACHES = {
        name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": f"matrix-{name}"}
        for name in ("default", "front")
    }
    settings.CACHE_MIDDLEWARE_ALIAS = "front"
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "MIN_FILL_SECONDS": 0}
    settings.THANKYOU_COUPONS = {**settings.THANKYOU_COUPONS, "VERIFIED_EMAIL": f"{__name__}.verified_email"}
    for name in settings.CACHES:
        caches[name].clear()


def build_world(*, shop: Shop, clock: Any) -> World:
    """Publish a thank-you page, let two people order through the shop's checkout, and open the accounts."""
    world = World(shop, clock)
    clock.move_to(NOW)
    world.page = _publish_page(shop.home)
    _add_users(world)
    for name, person in PEOPLE.items():
        client = sign_in(world.users["A"]) if name == "account" else Client()
        world.orders[name] = Placed(shop.buy(client=client, person=person), client, person)
    # Only now, so that nobody has been given this one: it can be claimed.
    world.page.body.append(
        ("coupon", {"heading": "Next time", "campaign": _campaign(Campaign.Benefit.PERCENT, percent=10)})
    )
    world.page.save()
    world.page = ThankYouPage.objects.get(pk=world.page.pk)
    for placed in world.orders.values():
        _collect_evidence(placed)
        # As a follow-up does when it is planned: of these two there is something to choose behind the links of mails.
        meet(email=placed.email)
    with TestCase.captureOnCommitCallbacks(execute=True):
        subscribe(email=SUBSCRIBER, wording="I want letters.", base_url="https://shop.example")
    world.newsletter_token = re.findall(r"newsletter/confirm/([^/\s]+)/", mail.outbox[-1].body)[0]
    return world


def _campaign(benefit: str, **terms: Any) -> Campaign:
    fields = {"title": f"Matrix {benefit}", "status": Campaign.Status.RUNNING, "deadline_minutes": 60}
    return Campaign.objects.create(benefit=benefit, **fields | terms)


def _asking_campaign() -> Campaign:
    campaign = _campaign(Campaign.Benefit.AMOUNT, amount=Money(3, "EUR"))
    Question.objects.create(campaign=campaign, label="Which tea?", field_type="singleline", required=True)
    return campaign


def _publish_page(home: Any) -> ThankYouPage:
    offer = {"heading": "Forgot something?", "campaign": _campaign(Campaign.Benefit.FREE_SHIPPING)}
    unlock = {"heading": "May we ask?", "campaign": _asking_campaign()}
    summary = {"heading": "Your order", "show_pictures": True, "show_addresses": True}
    body = [("status", {}), ("offer", offer), ("unlock", unlock), ("newsletter", {}), ("summary", summary)]
    created = home.add_child(instance=ThankYouPage(title="Thank you", slug="matrix-thank-you", body=body))
    return ThankYouPage.objects.get(pk=created.pk)


def _add_users(world: World) -> None:
    users = get_user_model().objects
    for name in ("A", "B", "editor"):
        email = PEOPLE["account"].email if name == "A" else f"{name.lower()}@accounts.example"
        world.users[name] = users.create_user(name, email, "secret")
    world.users["superuser"] = users.create_superuser("superuser", "root@accounts.example", "secret")
    editors = Group.objects.create(name="Matrix editors")
    editors.permissions.add(Permission.objects.get(codename="access_admin"))
    for codename in ("add_page", "change_page", "publish_page"):
        permission = Permission.objects.get(codename=codename, content_type__app_label="wagtailcore")
        GroupPagePermission.objects.create(group=editors, page=world.shop.home, permission=permission)
    world.users["editor"].groups.add(editors)


def _collect_evidence(placed: Placed) -> None:
    order = get_store().get_order(number=placed.number)
    assert order is not None
    assert order.is_settled, "the shop's checkout should have ended with a paid order"
    codes = Coupon.objects.filter(issue_key__startswith=f"order:{placed.number}:")
    locked = codes.filter(state=Coupon.State.LOCKED)
    placed.email = order.email
    placed.evidence = {
        "number": (placed.number,),
        "items": (placed.person.item,),
        "total": (f"{order.total.amount:.2f}",),
        "offer code": tuple(coupon.display_code for coupon in codes.available()),
        "locked code": tuple(coupon.display_code for coupon in locked),
        "personal data": (placed.person.name, placed.person.street, placed.email),
    }
    assert all(all(strings) and strings for strings in placed.evidence.values()), placed.evidence


def sign_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def open_link(client: Client, link: str) -> Client:
    assert client.get(link).status_code == 302
    return client


def confirm_email(client: Client, placed: Placed) -> Client:
    address = reverse("thankyou_flows:confirm_email", args=[placed.number])
    assert client.post(address, {"email": placed.email}).status_code == 302
    return client


def arrive(world: World, who: str) -> Client:
    """Return the browser of this actor, at the moment when it looks. Every right was got through its own door."""
    guest, account = world.orders["guest"], world.orders["account"]
    moment = NOW + GRACE + SECOND
    world.clock.move_to(moment)
    match who:
        case "stranger":
            return Client()
        case "ordering browser, a second before the grace ends":
            world.clock.move_to(NOW + GRACE - SECOND)
            return guest.browser
        case "ordering browser, a second after the grace":
            return guest.browser
        case "holder of a link":
            return open_link(Client(), make_order_link(number=guest.number))
        case "holder of a link who confirmed the e-mail address":
            return confirm_email(open_link(Client(), make_order_link(number=guest.number)), guest)
        case "holder of a link that was revoked after it was opened":
            client = open_link(Client(), make_order_link(number=guest.number))
            # That in the order's own mail goes with it.
            assert revoke_order_links(number=guest.number) == OrderLink.objects.filter(number=guest.number).count() > 0
            return client
        case "holder of a link that expired after it was opened":
            # Made long ago, so that it is the link that ends here and not the session.
            client = open_link(Client(), make_order_link(number=guest.number, now=moment - LINK_LIFE + SECOND))
            world.clock.move_to(moment + SECOND)
            return client
        case "holder of a link to A's order":
            return open_link(Client(), make_order_link(number=account.number))
        case "holder of the links to the guest's coupons":
            client = Client()
            for kind in ("offer", "locked"):
                coupon = world.coupon("guest", kind)
                assert coupon is not None
                open_link(client, unlock_path(coupon))
            return client
        case "A on another device":
            return sign_in(world.users["A"])
        case "A in the browser that ordered, after the grace":
            return account.browser
        case "browser in which A ordered and signed out":
            account.browser.logout()
            return account.browser
        case "B":
            return sign_in(world.users["B"])
        case "editor" | "superuser":
            client = sign_in(world.users[who])
            assert client.get(reverse("wagtailadmin_home")).status_code == 200
            return client
        case "B with a link to the guest's order":
            return open_link(sign_in(world.users["B"]), make_order_link(number=guest.number))
    raise NotImplementedError(who)
