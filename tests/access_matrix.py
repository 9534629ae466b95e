"""Who sees what of an order: the table of the access matrix (TY-1 to TY-6; toolbox 7 and 8).

Each shop's test adds the rows of its own pages; ``access_world`` sets the scene, ``access_walk`` sends the requests.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from thankyou_flows.blocks import ActionBlock
from thankyou_flows.blocks.coupons import PromiseBlock
from thankyou_flows.blocks.unlocking import COMMANDS, LOCKED_COMMANDS
from thankyou_flows.pages.models import ThankYouPage
from thankyou_flows.values import AccessLevel

NONE, LIMITED, FULL = AccessLevel.NONE, AccessLevel.LIMITED, AccessLevel.FULL

#: The orders of the matrix: one of a guest, one of the account A. Besides, "unknown" and "mangled" numbers are tried.
ORDERS = ("guest", "account")

#: What a level shows of an order; all the rest must not be in the answer, in whatever case.
VISIBLE: Mapping[AccessLevel, frozenset[str]] = {
    NONE: frozenset(),
    LIMITED: frozenset({"number", "items", "total", "offer code"}),
    FULL: frozenset({"number", "items", "total", "offer code", "personal data"}),
}


@dataclass(frozen=True)
class Actor:
    """Somebody with a browser, and what they may see of each order. Of unknown and mangled numbers: nothing."""

    who: str
    guest: AccessLevel
    account: AccessLevel
    #: The order to which /thanks/ leads; else it shows the page that everybody sees.
    front: str = ""
    #: The order that was placed in this browser.
    ordered: str = ""
    #: The account that is signed in.
    user: str = ""
    #: The order whose coupons' links were opened.
    coupon: str = ""

    def level(self, order: str) -> AccessLevel:
        return {"guest": self.guest, "account": self.account}.get(order, NONE)

    def holds(self, order: str) -> bool:
        """Whether the coupons that came with this order are known to be this actor's: by their links, or by A's address."""
        return order != "" and (order == self.coupon or (self.user, order) == ("A", "account"))

    def level_without_proofs(self, order: str) -> AccessLevel:
        """What is left when the browser has forgotten its orders: what the account may see."""
        return FULL if (self.user, order) == ("A", "account") else NONE


# fmt: off
ACTORS = (
    #      who                                                     guest's  A's      /thanks/   ordered    signed in
    Actor("stranger",                                              NONE,    NONE,    "",        "",        ""),
    Actor("ordering browser, a second before the grace ends",      FULL,    NONE,    "guest",   "guest",   ""),
    Actor("ordering browser, a second after the grace",            LIMITED, NONE,    "guest",   "guest",   ""),
    Actor("holder of a link",                                      LIMITED, NONE,    "guest",   "",        ""),
    Actor("holder of a link who confirmed the e-mail address",     FULL,    NONE,    "guest",   "",        ""),
    Actor("holder of a link that was revoked after it was opened", NONE,    NONE,    "guest",   "",        ""),
    Actor("holder of a link that expired after it was opened",     NONE,    NONE,    "guest",   "",        ""),
    Actor("holder of a link to A's order",                         NONE,    LIMITED, "account", "",        ""),
    Actor("holder of the links to the guest's coupons",            NONE,    NONE,    "",        "",        "", "guest"),
    Actor("A on another device",                                   NONE,    FULL,    "",        "",        "A"),
    Actor("A in the browser that ordered, after the grace",        NONE,    FULL,    "account", "account", "A"),
    Actor("browser in which A ordered and signed out",             NONE,    NONE,    "",        "",        ""),
    Actor("B",                                                     NONE,    NONE,    "",        "",        "B"),
    Actor("B with a link to the guest's order",                    LIMITED, NONE,    "guest",   "",        "B"),
    Actor("editor",                                                NONE,    NONE,    "",        "",        "editor"),
    Actor("superuser",                                             NONE,    NONE,    "",        "",        "superuser"),
)
# fmt: on


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What comes back. ``status`` 0 leaves it to the shop (pages that are not ours)."""

    status: int
    shows: frozenset[str] = frozenset()
    #: Where it redirects: "order", "front" (/thanks/), "shop", or a path.
    to: str = ""
    #: Our rows in the database are not what they were.
    changes: bool = False
    #: The offer's code is on this browser's next checkout.
    stages: bool = False
    #: Whom there is mail to.
    mails: str = ""
    #: At least this much of the order is visible afterwards.
    then: AccessLevel = NONE
    #: The browser's proofs are gone afterwards.
    forgets: bool = False
    #: It is the page that everybody sees: the same bytes at whatever address.
    refuses: bool = False


def page(level: AccessLevel, status: int = 200) -> Answer:
    """A page that shows an order, or with NONE the page that everybody sees."""
    return Answer(status=status, shows=VISIBLE[level], refuses=level is NONE and status == 200)


def to(where: str, status: int = 303, **more: Any) -> Answer:
    return Answer(status=status, to=where, **more)


def text(status: int, *shows: str, **more: Any) -> Answer:
    """A page that is about something else, with what it shows of the order."""
    return Answer(status=status, shows=frozenset(shows), **more)


BAD_METHOD = Answer(status=405)
DONE = {"changes": True}
MAILED = {"mails": "the order's address"}
NEW = {"changes": True, "mails": "new@example.org"}

# fmt: off
#: Addresses that name an order, by the visitor's level: (address, method, what is sent) → none, limited, full.
ORDER_ROWS: Mapping[tuple[str, str, str], tuple[Answer, Answer, Answer]] = {
    ("order", "GET", ""):                             (page(NONE),            page(LIMITED),              page(FULL)),
    ("order", "POST", ""):                            (BAD_METHOD,            BAD_METHOD,                 BAD_METHOD),
    ("confirm_email", "GET", ""):                     (BAD_METHOD,            BAD_METHOD,                 BAD_METHOD),
    ("confirm_email", "POST", "the order's address"): (page(NONE),            to("order", 302, then=FULL), to("order", 302)),
    ("confirm_email", "POST", "another address"):     (page(NONE),            page(LIMITED, 422),         to("order", 302)),
    ("confirm_email", "POST", "nothing"):             (page(NONE),            page(LIMITED, 422),         to("order", 302)),
    ("act", "GET", "offer: use"):                     (BAD_METHOD,            BAD_METHOD,                 BAD_METHOD),
    ("act", "POST", "offer: claim"):                  (to("front"),           to("order"),                to("order")),
    ("act", "POST", "offer: use"):                    (to("front"),           to("shop", stages=True),    to("shop", stages=True)),
    ("act", "POST", "offer: extend"):                 (to("front"),           to("order", **DONE),        to("order", **DONE)),
    ("act", "POST", "coupon: claim"):                 (to("front"),           to("order", **DONE),        to("order", **DONE)),
    ("act", "POST", "coupon: use"):                   (to("front"),           page(LIMITED, 422),         page(FULL, 422)),
    ("act", "POST", "coupon: extend"):                (to("front"),           page(LIMITED, 422),         page(FULL, 422)),
    # Coupons that ask nothing do not mind an answer; of one that does, the code is shown to nobody before.
    ("act", "POST", "offer: answer"):                 (to("front"),           to("order"),                to("order")),
    ("act", "POST", "offer: decline"):                (to("front"),           to("order"),                to("order")),
    ("act", "POST", "offer: later"):                  (to("front"),           to("order"),                to("order")),
    ("act", "POST", "coupon: answer"):                (to("front"),           page(LIMITED, 422),         page(FULL, 422)),
    ("act", "POST", "coupon: decline"):               (to("front"),           page(LIMITED, 422),         page(FULL, 422)),
    ("act", "POST", "coupon: later"):                 (to("front"),           page(LIMITED, 422),         page(FULL, 422)),
    ("act", "POST", "unlock: claim"):                 (to("front"),           to("order"),                to("order")),
    ("act", "POST", "unlock: use"):                   (to("front"),           to("order"),                to("order")),
    ("act", "POST", "unlock: extend"):                (to("front"),           to("order"),                to("order")),
    ("act", "POST", "unlock: answer"):                (to("front"),           to("order", **DONE),        to("order", **DONE)),
    ("act", "POST", "unlock: answer nothing"):        (to("front"),           page(LIMITED, 422),         page(FULL, 422)),
    ("act", "POST", "unlock: decline"):               (to("front"),           to("order", **DONE),        to("order", **DONE)),
    ("act", "POST", "unlock: later"):                 (to("front"),           to("order", **MAILED),      to("order", **MAILED)),
    ("act", "POST", "newsletter: an address"):        (to("front", **NEW),    to("order", **NEW),         to("order", **NEW)),
    ("act", "POST", "newsletter: nothing"):           (page(NONE, 422),       page(LIMITED, 422),         page(FULL, 422)),
}

#: Addresses that name none: the same for whoever asks.
OTHER_ROWS: Mapping[tuple[str, str, str], Answer] = {
    ("thank_you", "GET", ""):                         page(NONE),  # or to("order", 302): the column /thanks/ above
    ("thank_you", "POST", ""):                        BAD_METHOD,
    ("forget", "GET", ""):                            BAD_METHOD,
    ("forget", "POST", ""):                           to("front", 302, forgets=True),
    ("clock", "GET", ""):                             Answer(status=200),
    ("clock", "POST", ""):                            BAD_METHOD,
    ("link", "GET", "live, to the guest's order"):    to("order", 302, then=LIMITED),
    ("link", "GET", "live, to A's order"):            to("order", 302, then=LIMITED),
    ("link", "GET", "revoked"):                       page(NONE),
    ("link", "GET", "expired"):                       page(NONE),
    ("link", "GET", "mangled"):                       page(NONE),
    ("link", "GET", "invented"):                      page(NONE),
    ("link", "GET", "of a newsletter"):               page(NONE),
    ("link", "POST", "live, to the guest's order"):   BAD_METHOD,
    ("confirm", "GET", "of a newsletter"):            Answer(status=200),
    ("confirm", "POST", "of a newsletter"):           Answer(status=200, changes=True),
    ("confirm", "GET", "live, to the guest's order"): Answer(status=404),
    ("confirm", "POST", "live, to the guest's order"): Answer(status=404),
    ("confirm", "GET", "invented"):                   Answer(status=404),
    ("confirm", "POST", "invented"):                  Answer(status=404),
    ("page in the tree", "GET", ""):                  page(NONE),
    # Whoever has a link of a mail may leave, and sees of the person what they want to get: no address, and no order.
    ("unsubscribe", "GET", "of the guest's mails"):   Answer(status=200),
    ("unsubscribe", "POST", "of the guest's mails"):  Answer(status=200, **DONE),
    ("unsubscribe", "GET", "of the newsletter's mails"): Answer(status=200),
    ("unsubscribe", "POST", "of the newsletter's mails"): Answer(status=200, **DONE),
    ("unsubscribe", "GET", "live, to the guest's order"): Answer(status=404),
    ("unsubscribe", "POST", "live, to the guest's order"): Answer(status=404),
    ("unsubscribe", "GET", "invented"):               Answer(status=404),
    ("unsubscribe", "POST", "invented"):              Answer(status=404),
    ("preferences", "GET", "of the guest's mails"):   Answer(status=200),
    ("preferences", "POST", "of the guest's mails"):  to("itself", 302, **DONE),
    ("preferences", "GET", "of a person unknown"):    Answer(status=200),
    ("preferences", "POST", "of a person unknown"):   to("itself", 302, **DONE),
    ("preferences", "GET", "live, to the guest's order"): Answer(status=404),
    ("preferences", "POST", "live, to the guest's order"): Answer(status=404),
    ("preferences", "GET", "invented"):               Answer(status=404),
    ("preferences", "POST", "invented"):              Answer(status=404),
    ("subscribe", "GET", ""):                         BAD_METHOD,
    ("subscribe", "POST", "an address"):              Answer(status=200, **NEW),
    ("subscribe", "POST", "nothing"):                 Answer(status=400),
}

#: One coupon, by who asks → everybody else, its holder. "itself" is the coupon's page.
COUPON_ROWS: Mapping[tuple[str, str, str], tuple[Answer, Answer]] = {
    ("coupon", "GET", "offer"):                       (text(404),             text(200, "offer code")),
    ("coupon", "GET", "locked"):                      (text(404),             text(200)),
    ("coupon", "POST", "locked: answer"):             (text(404),             to("itself", 302, **DONE)),
    ("coupon", "POST", "locked: answer nothing"):     (text(404),             text(422)),
    ("coupon", "POST", "locked: decline"):            (text(404),             to("itself", 302, **DONE)),
    ("coupon", "POST", "locked: forget"):             (text(404),             to("itself", 302)),
    ("unlock_link", "GET", "offer"):                  (to("itself", 302),     to("itself", 302)),
    ("unlock_link", "GET", "locked"):                 (to("itself", 302),     to("itself", 302)),
    ("unlock_link", "GET", "mangled"):                (text(404),             text(404)),
    ("unlock_link", "GET", "invented"):               (text(404),             text(404)),
    ("unlock_link", "POST", "locked"):                (BAD_METHOD,            BAD_METHOD),
    # A code is for whoever has it; but a locked one is worth nothing, and cannot be told from one that is invented.
    ("apply", "POST", "offer"):                       (to("apply", stages=True), to("apply", stages=True)),
    ("apply", "POST", "locked"):                      (text(422, "locked code"),) * 2,  # as it was typed
    ("apply", "POST", "invented"):                    (text(422),             text(422)),
    ("api", "POST", "offer"):                         (text(200, "offer code", stages=True),) * 2,
    ("api", "POST", "locked"):                        (text(422),             text(422)),
    ("api", "POST", "invented"):                      (text(422),             text(422)),
}

#: Pages about the visitor, for guests and those who are signed in. ``mine`` shows those of an account that has proved its address; that is A's.
VISITOR_ROWS: Mapping[tuple[str, str, str], tuple[Answer, Answer]] = {
    ("mine", "GET", ""):                              (to("login", 302),      text(200, "offer code")),
    ("mine", "POST", ""):                             (to("login", 302),      to("mine", 302)),
    ("answers", "GET", ""):                           (to("login", 302),      text(200)),
    ("answers", "POST", ""):                          (to("login", 302),      to("mine", 302)),
    ("apply", "GET", ""):                             (text(200),             text(200)),
    ("api", "GET", ""):                               (text(200),             text(200)),
    ("remove", "GET", ""):                            (BAD_METHOD,            BAD_METHOD),
    ("remove", "POST", ""):                           (to("apply"),           to("apply")),
}
# fmt: on


@dataclass(frozen=True, kw_only=True)
class ShopRow:
    """One request to a page of the shop itself. What is left out is as for anonymous visitors."""

    anonymous: Answer
    signed_in: Answer | None = None
    #: The browser in which the order was placed.
    ordered: Answer | None = None
    #: The same, when another order was placed in it.
    ordered_other: Answer | None = None
    owner: Answer | None = None
    superuser: Answer | None = None

    @property
    def is_same_for_all(self) -> bool:
        return self == ShopRow(anonymous=self.anonymous)

    def answer(self, actor: Actor, order: str) -> Answer:
        signed_in = self.signed_in or self.anonymous
        if actor.user == "superuser" and self.superuser and order in ORDERS:
            return self.superuser
        if actor.user == "A" and order == "account":
            if actor.ordered == order and self.ordered:
                return self.ordered
            return self.owner or signed_in
        if actor.ordered == order:
            return self.ordered or self.anonymous
        if actor.ordered and self.ordered_other:
            return self.ordered_other
        return signed_in if actor.user else self.anonymous


ShopRows = Mapping[tuple[str, str, str], ShopRow]


# Nothing may be missing -----------------------------------------------------------------------------------------------


def named_urls(patterns: Iterable[URLPattern | URLResolver] | None = None, prefix: str = "") -> set[str]:
    """Return the names of all addresses of the project, with their namespaces; the route, where one has no name."""
    found: set[str] = set()
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            found |= named_urls(pattern.url_patterns, inner)
        else:
            found.add(f"{prefix}{pattern.name or pattern.pattern}")
    return found


def missing_from_table(
    rows: ShopRows, *, belongs: Callable[[str], bool], found: Collection[str] | None = None
) -> list[str]:
    """Return addresses that exist and are not in the table with GET and POST, and rows of addresses that don't."""
    found = named_urls() if found is None else found
    table = {(f"thankyou_flows:{name}", method) for name, method, _ in [*ORDER_ROWS, *OTHER_ROWS] if " " not in name}
    table |= {(f"thankyou_coupons:{name}", method) for name, method, _ in [*COUPON_ROWS, *VISITOR_ROWS]}
    table |= {(name, method) for name, method, _ in rows}
    exist = {
        (name, method)
        for name in found
        if name.startswith(("thankyou_flows:", "thankyou_coupons:")) or belongs(name)
        for method in ("GET", "POST")
    }
    return sorted(f"{method} {name}" for name, method in table ^ exist)


def missing_actions() -> list[str]:
    """Return action blocks of the thank-you page, and buttons of theirs, that are not in the table."""
    blocks = ThankYouPage._meta.get_field("body").stream_block.child_blocks
    exist = {name for name, block in blocks.items() if isinstance(block, ActionBlock)}
    promises = [name for name, block in blocks.items() if isinstance(block, PromiseBlock)]
    exist |= {f"{name}: {command}" for name in promises for command in (*COMMANDS, *LOCKED_COMMANDS)}
    sent = {sent for address, _method, sent in ORDER_ROWS if address == "act"}
    return sorted(exist - sent - {action.partition(": ")[0] for action in sent})


def actor(who: str) -> Actor:
    return next(actor for actor in ACTORS if actor.who == who)
