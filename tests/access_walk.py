"""The walk through the access matrix: every request of the table, as one actor, with a real cache in front.

Each request is sent by a browser of its own, in a transaction that is rolled back. Before each GET, those who may see
everything have asked for the same address, and they ask again afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import caches
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from thankyou_flows.links import make_order_link
from thankyou_flows.models import OrderLink
from thankyou_flows.stores import get_store

from .access_matrix import FULL, NONE, ORDER_ROWS, ORDERS, OTHER_ROWS, VISIBLE, Actor, Answer, to
from .access_seeing import (
    Wrong,
    browser_of,
    check_private,
    codes_of,
    content_of,
    difference,
    everything,
    expect,
    mails_of,
    session_of,
    snapshot,
    text_of,
    visible,
)
from .access_world import LINK_LIFE, World, arrive, confirm_email, mangled, open_link, sign_in, squeezed

#: Addresses with a rate limit, which would end the walk.
COUNTED = {"confirm_email", "link", "act", "confirm", "subscribe", "thankyou_coupons:apply", "thankyou_coupons:api"}
#: Addresses whose last part is a token; the first two must not show it again (TY-5).
WITH_TOKEN = ("link", "confirm", "unsubscribe", "preferences")
#: What is sent to addresses that name no order.
SENT = {
    ("preferences", "of the guest's mails"): {"command": "leave_all"},
    ("preferences", "of a person unknown"): {"command": "leave_all"},
    ("subscribe", "an address"): {"email": "new@example.org", "wording": "I want letters."},
}
#: The kind of refusal that is one and the same page everywhere.
PUBLIC = "the page that everybody sees"


class Walk:
    """One actor on the way through the table."""

    def __init__(self, world: World, actor: Actor) -> None:
        self.world = world
        self.actor = actor
        self.wrong: list[str] = []
        self.orders = world.orders
        #: What an answer shows besides, by order: codes that this visitor has put on the next checkout.
        self.besides: dict[str, frozenset[str]] = {}
        account_browser = browser_of(world.orders["account"].browser)
        guest_browser = browser_of(world.orders["guest"].browser)
        self.client = arrive(world, actor.who)
        #: Those who may see everything, and ask first.
        self.rivals = {
            "guest": [self._confirmed("guest"), guest_browser],
            "account": [sign_in(world.users["A"]), account_browser],
        }
        for rival in (*self.rivals["guest"], *self.rivals["account"]):
            # Pages of the shop may fail.
            rival.raise_request_exception = False
        # Addresses without an order; those with a wrong number show nothing to anybody.
        self.rivals[""] = [self.rivals["guest"][0], self.rivals["account"][0]]
        #: One and the same answer for everything that is refused (TY-2): kind of page → status, body, headers.
        self.refusals: dict[str, tuple[Any, ...]] = {}
        unknown = reverse("thankyou_flows:order", args=[world.number("unknown")])
        strangers, mine = Client().get(unknown), browser_of(self.client).get(unknown)
        self.stamp = re.findall(r'name="stamp" value="([^"]*)"', strangers.content.decode())[0]
        self.refusals[PUBLIC] = everything(mine)
        if not actor.user and everything(mine)[:3] != everything(strangers)[:3]:
            # Cookies may differ: the shop may take back an old one of its own.
            self.wrong.append(f"{actor.who}: gets another refusal than a stranger")
        self.before = snapshot()

    def _confirmed(self, order: str) -> Client:
        placed = self.orders[order]
        link = make_order_link(number=placed.number)
        client = confirm_email(open_link(Client(), link), placed)
        OrderLink.objects.order_by("-pk").first().delete()
        return client

    def through(self, only: Collection[str]) -> list[str]:
        for row, by_level in ORDER_ROWS.items():
            for order, number in self.columns(row) if row[0] in only else ():
                answer = by_level[self.actor.level(order)]
                address, data = self._order_target(row, order, number)
                self._cell(row, order, answer, address, data)
        for row, answer in OTHER_ROWS.items():
            if row[0] in only:
                self._other_cell(row, answer)
        for row, shop_row in self.world.shop.rows.items():
            for order in ORDERS[:1] if shop_row.is_same_for_all else (*ORDERS, "unknown"):
                if row[0] in only:
                    self._shop_cell(row, order, shop_row.answer(self.actor, order))
        return self.wrong

    def columns(self, row: tuple[str, str, str]) -> Iterator[tuple[str, str]]:
        for order in (*ORDERS, "unknown"):
            yield order, self.world.number(order)
        near = "account" if self.actor.account > self.actor.guest else "guest"
        for number in mangled(self.world.number(near)):
            yield "mangled", number
            if row[0] != "order" or row[1] == "POST":
                return
        if row[0] == "act":
            yield "none given", ""

    # Requests

    def _order_target(self, row: tuple[str, str, str], order: str, number: str) -> tuple[str, dict[str, str]]:
        name, _method, sent = row
        if name != "act":
            placed = self.orders.get(order) or self.orders["guest"]
            emails = {"the order's address": placed.email, "another address": "somebody@example.org"}
            return reverse(f"thankyou_flows:{name}", args=[number]), {"email": emails.get(sent, "")}
        block, _, command = sent.partition(": ")
        data = {"order": number}
        if block == "newsletter":
            data |= {"stamp": self.stamp, "email": "new@example.org" if command == "an address" else ""}
        else:
            data |= self.world.pressed(command)
        return reverse("thankyou_flows:act", args=[self.world.page.pk, self.world.blocks[block]]), data

    def _token(self, sent: str) -> str:
        now = timezone.now()
        match sent:
            case "of a newsletter":
                return self.world.newsletter_token
            case "invented":
                return "Q" * 43
            case "of the guest's mails" | "of the newsletter's mails" | "of a person unknown":
                return self.world.mail_token(sent)
        order = "account" if sent == "live, to A's order" else "guest"
        made = now - LINK_LIFE if sent == "expired" else now
        link = make_order_link(number=self.orders[order].number, now=made)
        if sent == "revoked":
            OrderLink.objects.filter(pk=OrderLink.objects.latest("pk").pk).update(revoked_at=now)
        token = link.rstrip("/").rsplit("/", 1)[1]
        return f"{token[:-2]}~~" if sent == "mangled" else token

    # Cells

    @contextmanager
    def _rolled_back(self, row: tuple[str, str, str], column: str) -> Iterator[Client]:
        if row[0] in COUNTED:
            caches["default"].clear()
        try:
            with transaction.atomic():
                yield browser_of(self.client)
                transaction.set_rollback(True)
        except Wrong as error:
            self.wrong.append(f"{self.actor.who} | {' '.join(row)} | {column}: {error}")

    def _cell(self, row: tuple[str, str, str], order: str, answer: Answer, address: str, data: dict[str, str]) -> None:
        with self._rolled_back(row, f"{order} {data.get('order', address)!r}"[:120]) as browser:
            response = self._send(browser, row, order, answer, address, data)
            check_private(response)
            if self.actor.level(order) is NONE:
                self._check_refusal(row, answer, response)
            self._check_levels_after(browser, answer, order)

    def _other_cell(self, row: tuple[str, str, str], answer: Answer) -> None:
        name, method, sent = row
        order = {"live, to A's order": "account"}.get(sent, "guest" if sent.startswith("live") else "")
        if (name, method) == ("thank_you", "GET") and self.actor.front:
            answer, order = to("order", 302), self.actor.front
        with self._rolled_back(row, "") as browser:
            token = self._token(sent) if name in WITH_TOKEN else ""
            address = self.world.page.url if name == "page in the tree" else ""
            address = address or reverse(f"thankyou_flows:{name}", args=[token] if token else [])
            if answer.to == "itself":
                answer = replace(answer, to=address)
            data = SENT.get((name, sent), {}) if method == "POST" else {}
            response = self._send(browser, row, order, answer, address, data)
            # Pages of mails lead to one another, and back to themselves.
            is_secret = token and name in WITH_TOKEN[:2]
            expect(not is_secret or token not in text_of(response), "the token is passed on (TY-5)")
            if name == "link" and response.status_code == 302:
                expect(response["Referrer-Policy"] == "no-referrer", "the address with the token is passed on (TY-5)")
            if name == "forget" and method == "POST":
                expect("cache" in response.get("Clear-Site-Data", ""), "the browser keeps the pages (TY-11)")
            check_private(response)
            self._check_refusal(row, answer, response)
            self._check_levels_after(browser, answer, order)

    def _shop_cell(self, row: tuple[str, str, str], order: str, answer: Answer) -> None:
        with self._rolled_back(row, order) as browser:
            address, data = self.world.shop.target(row, self.world.number(order))
            self.world.shop.visit(browser, row)
            browser.raise_request_exception = False
            # The shop's own pages change its own rows, and show its customers what is theirs.
            self._send(browser, row, order, answer, address, data, own=True)

    def _send(
        self,
        browser: Client,
        row: tuple[str, str, str],
        order: str,
        answer: Answer,
        address: str,
        data: dict[str, str],
        *,
        own: bool = False,
        rivals: Sequence[Client] | None = None,
    ) -> HttpResponse:
        cacheable = row[1] == "GET" and answer.status in {0, 200}
        rivals = (self.rivals.get(order, []) if rivals is None else rivals) if cacheable else []
        seen_by_rivals = [visible(self.orders, rival.get(address)) for rival in rivals]
        if rivals and row[0] == "order":
            expect(seen_by_rivals[0][order] == VISIBLE[FULL], "nobody has asked before who may see it all")
        before = snapshot() if row[0] in WITH_TOKEN else self.before
        mails: list[str] = []
        if row[1] != "POST":
            response = browser.get(address)
        elif own:
            response = browser.post(address, data)
        else:
            response, mails = mails_of(lambda: self._post(browser, row, address, data))
        self._check_answer(response, order, answer, own=own)
        if not own:
            expect((snapshot() != before) is answer.changes, "something was changed, or nothing where it should")
            expect(mails == self._letters(answer, order), f"mail to {mails}")
            if answer.stages:
                codes = {code.replace("-", "") for code in self.orders[order].evidence["offer code"]}
                expect(codes <= codes_of(browser), "the offer is not on the next checkout")
            else:
                expect(codes_of(browser) == codes_of(self.client), "the next checkout was changed")
        again = [visible(self.orders, rival.get(address)) for rival in rivals]
        expect(again == seen_by_rivals, "this answer was then given to somebody with other rights")
        return response

    def _check_answer(self, response: HttpResponse, order: str, answer: Answer, *, own: bool = False) -> None:
        if answer.status:
            expect(response.status_code == answer.status, f"{response.status_code} instead of {answer.status}")
        shown = visible(self.orders, response)
        for name, placed in self.orders.items():
            mine = self.actor.ordered == name or (self.actor.user == "A" and name == "account")
            if own and mine and (name != order or not answer.status):
                continue
            allowed = (answer.shows if name == order else frozenset()) | self.besides.get(name, frozenset())
            expect(shown[name] == allowed, f"of {name}'s order it shows {sorted(shown[name])}, not {sorted(allowed)}")
            low = squeezed(content_of(response).decode())
            # All that there is on our pages; the shop's show what they like.
            for kind in () if own else allowed:
                missing = [s for s in placed.evidence[kind] if squeezed(s) not in low]
                expect(not missing, f"{missing} not shown")
        if answer.status:
            location = urlsplit(response.get("Location", "")).path
            expect(location == self._path(answer.to, order), f"leads to {location!r} and not to {answer.to!r}")

    def _post(self, browser: Client, row: tuple[str, str, str], address: str, data: Any) -> HttpResponse:
        return browser.post(address, data)

    def _letters(self, answer: Answer, order: str) -> list[str]:
        """Return to whom there has to be mail."""
        if answer.mails == "the order's address":
            return [self.orders[order].email]
        return [answer.mails] if answer.mails else []

    def _path(self, where: str, order: str) -> str:
        if where == "login":
            return resolve_url(settings.LOGIN_URL)
        if where == "order":
            return reverse("thankyou_flows:order", args=[self.orders[order].number])
        if where == "front":
            return reverse("thankyou_flows:thank_you")
        return urlsplit(str(get_store().get_shop_url())).path if where == "shop" else where

    def _check_refusal(self, row: tuple[str, str, str], answer: Answer, response: HttpResponse) -> None:
        """One refusal for unknown, foreign, mangled, expired and revoked: byte for byte, header for header (TY-2)."""
        if answer.status == 405 or answer.to == "order":
            return
        # The page for everybody is one, at whatever address it is shown. What else comes back is the same for a row.
        kind = PUBLIC if answer.refuses and row[0] != "page in the tree" else " ".join(row)
        first = self.refusals.setdefault(kind, everything(response))
        expect(everything(response) == first, f"it can be told from another refusal by {difference(response, first)}")

    def _check_levels_after(self, browser: Client, answer: Answer, order: str) -> None:
        if not answer.then and session_of(browser) == session_of(self.client):
            # Nothing that a right could follow from has changed.
            return
        for name, placed in self.orders.items():
            level = self.actor.level(name)
            if answer.forgets:
                level = self.actor.level_without_proofs(name)
            elif name == order:
                level = max(level, answer.then)
            response = browser.get(reverse("thankyou_flows:order", args=[placed.number]))
            shown = placed.shown_in(text_of(response))
            # A coupon that was claimed just now is there, too.
            expect(shown == VISIBLE[level], f"{name}'s order then shows {sorted(shown)}, which is not {level.name}")
