"""The walk through the pages of ``coupons``: whose coupon is seen, answered and used by whom (CO-6, CO-9, CO-12)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from coupons.codes import display, generate
from coupons.links import unlock_path

from .access_matrix import COUPON_ROWS, ORDER_ROWS, ORDERS, OTHER_ROWS, VISITOR_ROWS, Actor, Answer, text
from .access_seeing import check_private, codes_of, everything, expect, text_of
from .access_walk import Walk
from .access_world import World, open_link

#: A new one with every page, and never the same twice.
CSRF_TOKEN = re.compile(rb'(name="csrfmiddlewaretoken" value=")[^"]*')


def walk(*, world: World, actor: Actor, only: Collection[str] = ()) -> list[str]:
    """Send every request of the table as this actor; return what was not as it should be, in words.

    ``only`` names the addresses to try; else it is all of them.
    """
    every = {row[0] for row in [*ORDER_ROWS, *OTHER_ROWS, *COUPON_ROWS, *VISITOR_ROWS, *world.shop.rows]}
    return CouponWalk(world, actor).through(only or every)


class CouponWalk(Walk):
    """One actor on the way through the table, the coupons' pages included."""

    def __init__(self, world: World, actor: Actor) -> None:
        super().__init__(world, actor)
        mine = codes_of(self.client)
        #: The orders whose offer is on this browser's next checkout.
        self.staged = [order for order in ORDERS if (offer := world.coupon(order, "offer")) and offer.code in mine]
        #: Those who hold a coupon, and ask first.
        self.holders = {order: self._holder_of(order) for order in ORDERS}

    def _holder_of(self, order: str) -> Client:
        client = Client()
        for kind in ("offer", "locked"):
            coupon = self.world.coupon(order, kind)
            assert coupon is not None
            open_link(client, unlock_path(coupon))
        return client

    def through(self, only: Collection[str]) -> list[str]:
        super().through(only)
        for row, answers in COUPON_ROWS.items():
            for order in (*ORDERS, "unknown") if row[0] in only else ():
                if order in ORDERS or row[0] == "coupon":
                    self._coupon_cell(row, order, answers[self.actor.holds(order)])
        for row, answers in VISITOR_ROWS.items():
            if row[0] in only:
                self._visitor_cell(row, answers[bool(self.actor.user)])
        return self.wrong

    # Requests

    def _coupon_target(self, row: tuple[str, str, str], order: str) -> tuple[str, str, Any]:
        """Return the coupon's own page, the address, and what is sent to it."""
        name, _method, sent = row
        kind, _, command = sent.partition(": ")
        coupon = self.world.coupon(order, kind)
        itself = reverse("thankyou_coupons:coupon", args=[coupon.pk if coupon else 999_999])
        if name == "coupon":
            return itself, itself, self.world.pressed(command) if command else {}
        if name == "unlock_link":
            assert coupon is not None
            address = unlock_path(coupon)
            if sent in {"mangled", "invented"}:
                token = address.rstrip("/").rsplit("/", 1)[1]
                token = f"{token[:-2]}~~" if sent == "mangled" else f"{coupon.pk}.{'Q' * 43}"
                address = reverse("thankyou_coupons:unlock_link", args=[token])
            return itself, address, {}
        assert coupon is not None
        code = display(generate()) if sent == "invented" else coupon.display_code
        return itself, reverse(f"thankyou_coupons:{name}"), {"code": code}

    # Cells

    def _coupon_cell(self, row: tuple[str, str, str], order: str, answer: Answer) -> None:
        name, method, sent = row
        full = f"thankyou_coupons:{name}", method, sent
        with self._rolled_back(full, order) as browser:
            itself, address, data = self._coupon_target(row, order)
            answer = self._settled(answer, itself)
            if answer.stages and self.staged and order not in self.staged:
                # Of one campaign an order takes one coupon, and the own one was first. The field keeps what was typed.
                answer = text(422, "offer code") if name == "apply" else text(422)
            self._expect_staged(name, answer)
            response = self._send(browser, full, order, answer, address, data, rivals=[*self.holders.values()])
            check_private(response)
            if response.status_code in {404, 422} and not self.actor.holds(order):
                kind = name if response.status_code == 422 else "coupon"
                self._check_same(f"{kind} {response.status_code}", response, data)
            expect(name != "unlock_link" or address not in text_of(response), "the token is passed on (TY-5)")
            if name == "unlock_link" and answer.status == 302:
                expect(response["Referrer-Policy"] == "no-referrer", "the address with the token is passed on")
                expect(browser.get(itself).status_code == 200, "the link does not lead to the coupon")
            self._check_levels_after(browser, answer, order)

    def _visitor_cell(self, row: tuple[str, str, str], answer: Answer) -> None:
        name, method, sent = row
        full = f"thankyou_coupons:{name}", method, sent
        with self._rolled_back(full, "") as browser:
            address = reverse(f"thankyou_coupons:{name}")
            answer = self._settled(answer, address)
            if not self.actor.holds("account"):
                answer = replace(answer, shows=frozenset())
            self._expect_staged(name, answer)
            # Of A's coupons, that is; other accounts have none.
            order = "account" if self.actor.holds("account") else ""
            rivals = [*self.rivals[""], *self.holders.values()]
            response = self._send(browser, full, order, answer, address, {}, rivals=rivals)
            if answer.to != "login":
                check_private(response)

    def _shop_cell(self, row: tuple[str, str, str], order: str, answer: Answer) -> None:
        shown = self.staged if row[:2] == (self.world.shop.lists_codes, "GET") else []
        self.besides = {each: frozenset({"offer code"}) for each in shown}
        super()._shop_cell(row, order, answer)
        self.besides = {}

    def _expect_staged(self, name: str, answer: Answer) -> None:
        """Two addresses show the codes that this browser has put on the next checkout; the API not with an error."""
        lists = name == "apply" or (name == "api" and answer.status == 200)
        shown = self.staged if lists and not answer.to else []
        self.besides = {order: frozenset({"offer code"}) for order in shown}

    def _settled(self, answer: Answer, itself: str) -> Answer:
        """Return the answer with the address that it leads to."""
        if answer.to == "itself":
            return replace(answer, to=itself)
        if answer.to in {"mine", "apply"}:
            return replace(answer, to=reverse(f"thankyou_coupons:{answer.to}"))
        return answer

    def _post(self, browser: Client, row: tuple[str, str, str], address: str, data: Any) -> HttpResponse:
        if row[0] == "thankyou_coupons:api":
            return browser.post(address, data, content_type="application/json")
        return super()._post(browser, row, address, data)

    def _check_same(self, kind: str, response: HttpResponse, data: Any) -> None:
        """One refusal for what is unknown, somebody else's, or not unlocked, but for what was typed (CO-6)."""
        status, content, *rest = everything(response)
        typed = str(data.get("code", "")).encode()
        content = CSRF_TOKEN.sub(rb"\1", content)
        seen = (status, content.replace(typed, b"...") if typed else content, *rest)
        first = self.refusals.setdefault(kind, seen)
        expect(seen == first, "it can be told from another refusal")
