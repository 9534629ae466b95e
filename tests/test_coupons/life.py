"""What coupons promise, told once more with dicts: the plain model beside which ``test_life`` drives the real thing.

It knows no counters, only who holds what; whether there is room is counted afresh each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

GRACE = timedelta(seconds=90)
MOST_EXTENSIONS = 10

#: Under what a use is counted: its coupon's own limit, its campaign's, or its customer's in the campaign.
Key = tuple[str, int, str]


@dataclass
class Promise:
    """A campaign."""

    pk: int
    is_word: bool = False
    asks: bool = False
    running: bool = True
    combinable: bool = True
    personal: bool = False
    give_back: str = "cancelled"
    deadline: int | None = None
    ends_at: datetime | None = None
    total: int | None = None
    per_customer: int | None = None

    def is_running(self, now: datetime, grace: timedelta = timedelta(0)) -> bool:
        return self.running and (self.ends_at is None or self.ends_at > now - grace)

    def end_of(self, start: datetime) -> datetime | None:
        """When a personal deadline that starts now is over."""
        if self.deadline is None:
            return None
        return min(filter(None, [start + timedelta(minutes=self.deadline), self.ends_at]))


@dataclass
class Paper:
    """A coupon."""

    pk: int
    code: str
    promise: Promise
    holder: str
    limit: int | None
    state: str
    ends_at: datetime | None
    extensions: int = 0
    declined: bool = False

    def is_usable(self, now: datetime) -> bool:
        in_time = self.ends_at is None or self.ends_at > now - GRACE
        return self.state == "available" and self.promise.is_running(now, GRACE) and in_time


@dataclass
class Use:
    """A coupon in the hands of an order."""

    paper: Paper
    order: str
    state: str
    customer: str
    until: datetime
    #: Given back because its time ran out.
    ran_out: bool = False
    was_redeemed: bool = False
    counted: set[str] = field(default_factory=set)

    @property
    def is_live(self) -> bool:
        return self.state != "released"

    def has_run_out(self, now: datetime) -> bool:
        return self.state == "reserved" and self.until <= now

    def give_back(self, *, ran_out: bool = False) -> None:
        self.state, self.ran_out, self.counted = "released", ran_out, set()


class Books:
    """Everything there is."""

    def __init__(self) -> None:
        self.promises: dict[int, Promise] = {}
        self.papers: dict[int, Paper] = {}
        self.uses: dict[tuple[int, str], Use] = {}
        self.answered: set[str] = set()
        #: The coupons that were given out for a reason.
        self.reasons: dict[str, Paper] = {}

    def of(self, order: str) -> list[Use]:
        return [use for use in self.uses.values() if use.order == order]

    # Limits

    def limits(self, paper: Paper, customer: str) -> dict[Key, int | None]:
        """What a use of this coupon by this customer falls under."""
        promise = paper.promise
        limits: dict[Key, int | None] = {("coupon", paper.pk, ""): paper.limit}
        if promise.total is not None and not promise.is_word:
            limits["total", promise.pk, ""] = promise.total
        if promise.per_customer is not None and customer:
            limits["customer", promise.pk, customer] = promise.per_customer
        return limits

    def keys_of(self, use: Use) -> list[Key]:
        """Under what it is counted now."""
        promise = use.paper.promise
        keys: list[Key] = [
            ("coupon", use.paper.pk, ""),
            ("total", promise.pk, ""),
            ("customer", promise.pk, use.customer),
        ]
        return [key for key in keys if key[0] in use.counted]

    def under(self, key: Key) -> list[Use]:
        return [use for use in self.uses.values() if use.is_live and key in self.keys_of(use)]

    def counts(self) -> Counter[Key]:
        return Counter(key for use in self.uses.values() if use.is_live for key in self.keys_of(use))

    def has_room(self, key: Key, limit: int | None, *, now: datetime, without: Iterable[Use] = ()) -> bool:
        """Whether there is a use left once everything that has run out is given back."""
        out = [use for use in self.under(key) if use not in list(without) and not use.has_run_out(now)]
        return limit is None or len(out) < limit

    # Checkouts

    def may_hold(
        self, papers: list[Paper], order: str, customer: str, *, now: datetime, exclusive: bool
    ) -> bool | None:
        """Whether an order gets these coupons, all or none. ``None``: it may go either way."""
        if any(self._is_unfit(paper, customer) for paper in papers):
            return False
        others = [use for use in self.of(order) if use.is_live and use.paper not in papers]
        dropped = self.dropped(papers, order) if exclusive else []
        if not _go_together([*papers, *(use.paper for use in others if use not in dropped)], new=papers):
            return False
        uncertain = False
        for paper in papers:
            use = self.uses.get((paper.pk, order))
            is_held = use is not None and use.is_live
            if use is not None and (use.state == "redeemed" or (is_held and use.customer == customer)):
                continue
            if not is_held and not paper.is_usable(now):
                return False
            # What this order holds already is counted anew for its new customer.
            leaving = [*dropped, *([use] if use is not None and is_held else [])]
            for key, limit in self.limits(paper, customer).items():
                is_asked = key[0] != "coupon" or not is_held
                if is_asked and not self.has_room(key, limit, now=now, without=leaving):
                    return False
            # While room is made for the new customer, what has run out on this coupon is given back: also this.
            uncertain = uncertain or (use is not None and use.has_run_out(now) and not paper.is_usable(now))
        return None if uncertain else True

    def dropped(self, papers: list[Paper], order: str) -> list[Use]:
        """What the order gives back when it settles for these coupons only."""
        return [use for use in self.of(order) if use.state == "reserved" and use.paper not in papers]

    def hold(self, papers: list[Paper], order: str, customer: str, *, until: datetime, exclusive: bool) -> None:
        for use in self.dropped(papers, order) if exclusive else []:
            use.give_back()
        for paper in papers:
            use = self.uses.get((paper.pk, order))
            if use is not None and use.state == "redeemed":
                continue
            was_counted = use.counted if use is not None and use.is_live and use.customer == customer else None
            new = Use(paper=paper, order=order, state="reserved", customer=customer, until=until)
            new.counted = was_counted or {kind for kind, _pk, _key in self.limits(paper, customer)}
            self.uses[paper.pk, order] = new

    def paid(self, order: str, paper: Paper | None) -> list[Use]:
        """What a payment of this order has used, whatever became of the reservations."""
        uses = [use for use in self.of(order) if paper is None or use.paper is paper]
        return [use for use in uses if use.is_live or (not use.was_redeemed and (use.ran_out or paper is not None))]

    def restored(self, order: str, because: str) -> list[Use]:
        given = {"never": (), "cancelled": ("cancelled",), "refunded": ("cancelled", "refunded")}
        return [
            use
            for use in self.of(order)
            if use.state == "reserved" or (use.state == "redeemed" and because in given[use.paper.promise.give_back])
        ]

    def merge(self, one: str, other: str) -> int:
        """Move everything of one customer to another; return how many coupons that were."""
        moved = [paper for paper in self.papers.values() if paper.holder == one]
        for paper in moved:
            paper.holder = other
        for use in self.uses.values():
            if use.customer == one:
                use.customer = other
        if one in self.answered:
            self.answered = self.answered - {one} | {other}
        return len(moved)

    @staticmethod
    def _is_unfit(paper: Paper, customer: str) -> bool:
        promise = paper.promise
        foreign = promise.personal and paper.holder.startswith("c:") and customer != paper.holder
        return foreign or (promise.per_customer is not None and not customer)


def _go_together(papers: list[Paper], *, new: list[Paper]) -> bool:
    """Whether the new ones go with each other and with the rest; what the rest does among itself is settled."""
    for number, paper in enumerate(papers):
        for other in papers[number + 1 :]:
            if paper not in new and other not in new:
                continue
            if paper.promise is other.promise or not (paper.promise.combinable and other.promise.combinable):
                return False
    return True
