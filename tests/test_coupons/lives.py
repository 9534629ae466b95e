"""Whole lives of coupons: every step there is, done in the database and in the plain model of ``life``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from coupons import exceptions
from coupons.deadlines import extend
from coupons.issuing import issue
from coupons.ledger import limits
from coupons.merging import merge
from coupons.models import Campaign, Coupon, Redemption, UsageCounter
from coupons.redemption import redeem, release, release_expired, reserve, reserve_all, restore
from coupons.revoking import revoke
from coupons.unlocking import decline, unlock
from coupons.verifying import verify
from tests.test_coupons.asking import make_question
from tests.test_coupons.factories import NOW, make_campaign, make_facts
from tests.test_coupons.life import GRACE, MOST_EXTENSIONS, Books, Key, Paper, Promise, Use

TTL = timedelta(minutes=30)
ANSWERS = {"which_tea_do_you_like_best": "Oolong"}
ORDERS = st.sampled_from("123")
CUSTOMERS = st.sampled_from(["c:ann", "c:ann", "c:bob", ""])
HOLDERS = st.sampled_from(["", "c:ann", "c:bob", "order 7"])
LIMITS = st.sampled_from([None, None, 1, 2])
PROMISES = st.fixed_dictionaries(
    {
        "combinable": st.sampled_from([True, True, False]),
        "total_limit": LIMITS,
        "limit_per_customer": LIMITS,
        "give_back": st.sampled_from(Campaign.GiveBack.values),
        "ends_at": st.sampled_from([None, None, NOW + timedelta(hours=3)]),
    }
)
SINGLES = st.fixed_dictionaries(
    {
        "deadline_minutes": st.sampled_from([None, 45, 1500]),
        "personal": st.sampled_from([False, False, True]),
        "uses_per_coupon": st.sampled_from([1, 1, 2]),
    }
)


class Lives(RuleBasedStateMachine):
    """Every step is done in the database and in the model, which says what has to come of it."""

    coupons: Bundle[int] = Bundle("coupons")

    def __init__(self) -> None:
        super().__init__()
        self.books, self.now = Books(), NOW
        self.campaigns: list[Campaign] = []
        self.before: Counter[Key] = Counter()
        #: Whether the step may leave more uses under a limit than it allows: none of them is taken by it.
        self.may_exceed = False
        self.transaction = transaction.atomic()
        self.transaction.__enter__()

    def teardown(self) -> None:
        try:
            assert verify() == []
        finally:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    # The owner

    @initialize(target=coupons, plain=PROMISES, single=SINGLES, asking=PROMISES, locked=SINGLES, word=PROMISES)
    def begin(self, plain: Any, single: Any, asking: Any, locked: Any, word: Any) -> Any:
        self.campaigns = [
            make_campaign(benefit="percent", percent=10, **plain, **single),
            make_campaign(benefit="percent", percent=20, **asking, **locked),
            make_campaign(benefit="percent", percent=5, code_type="word", word="SPRING", is_unlimited=True, **word),
        ]
        make_question(self.campaigns[1])
        for campaign in self.campaigns:
            self.books.promises[campaign.pk] = Promise(
                pk=campaign.pk,
                is_word=campaign.code_type == "word",
                asks=campaign.asks,
                combinable=campaign.combinable,
                personal=campaign.personal,
                give_back=campaign.give_back,
                deadline=campaign.deadline_minutes,
                ends_at=campaign.ends_at,
                total=campaign.total_limit,
                per_customer=campaign.limit_per_customer,
            )
        return multiple(*(self._note(issue(campaign=campaign, now=NOW)) for campaign in self.campaigns))

    @rule(
        target=coupons,
        number=st.integers(0, 2),
        reason=st.sampled_from([None, None, "a", "b"]),
        holder=HOLDERS,
        limit=st.sampled_from([None, None, 2]),
        locked=st.sampled_from([None, None, True, False]),
    )
    def issue(self, number: int, reason: str | None, holder: str, limit: int | None, locked: bool | None) -> Any:
        campaign = self.campaigns[number]
        promise = self.books.promises[campaign.pk]
        # A key belongs to one campaign.
        reason = reason and f"{reason} {number}"
        known = self.books.reasons.get(reason or "")
        if known is None and promise.is_word:
            known = next(paper for paper in self.books.papers.values() if paper.promise is promise)
            reason = None
        try:
            coupon = issue(
                campaign=campaign, issue_key=reason, holder_key=holder, usage_limit=limit, locked=locked, now=self.now
            )
        except exceptions.CampaignNotRunning:
            assert not promise.is_running(self.now)
            assert known is None or promise.is_word
            return multiple()
        if known is not None:
            assert coupon.pk == known.pk
            return known.pk
        assert promise.is_running(self.now)
        assert (coupon.pk not in self.books.papers) and coupon.holder_key == holder
        assert coupon.state == ("locked" if (promise.asks if locked is None else locked) else "available")
        assert coupon.usage_limit == (limit or campaign.uses_per_coupon)
        assert coupon.ends_at == (None if coupon.state == "locked" else promise.end_of(self.now))
        pk = self._note(coupon)
        if reason is not None:
            self.books.reasons[reason] = self.books.papers[pk]
        return pk

    def _note(self, coupon: Coupon) -> int:
        self.books.papers[coupon.pk] = Paper(
            pk=coupon.pk,
            code=coupon.code,
            promise=self.books.promises[coupon.campaign_id],
            holder=coupon.holder_key,
            limit=coupon.usage_limit,
            state=coupon.state,
            ends_at=coupon.ends_at,
        )
        return coupon.pk

    @rule(number=st.integers(0, 2))
    def pause_or_go_on(self, number: int) -> None:
        campaign = self.campaigns[number]
        promise = self.books.promises[campaign.pk]
        promise.running = not promise.running
        campaign.status = Campaign.Status.RUNNING if promise.running else Campaign.Status.PAUSED
        campaign.save()

    @rule(
        number=st.integers(0, 1), name=st.sampled_from(["total_limit", "limit_per_customer"]), limit=st.integers(1, 3)
    )
    def change_a_limit(self, number: int, name: str, limit: int) -> None:
        """Introduced, raised or lowered: what is out stays."""
        campaign = self.campaigns[number]
        promise = self.books.promises[campaign.pk]
        setattr(campaign, name, limit)
        campaign.save()
        limits.recount(campaign=campaign)
        promise.total, promise.per_customer = campaign.total_limit, campaign.limit_per_customer
        over = set(Redemption.objects.filter(over_limit=True).values_list("coupon_id", "order_ref"))
        for place, use in self.books.uses.items():
            if use.is_live and use.paper.promise is promise and place not in over:
                use.counted |= {key[0] for key in self.books.limits(use.paper, use.customer)}
        self.may_exceed = True

    @rule(pk=coupons)
    def revoke(self, pk: int) -> None:
        paper = self.books.papers[pk]
        if paper.promise.is_word:
            return
        assert revoke(coupon=Coupon.objects.get(pk=pk), actor="user 1", now=self.now).state == "revoked"
        paper.state = "revoked"

    # The clock

    @rule(minutes=st.sampled_from([1, 1, 10, 31, 31, 46, 150, 24 * 60, -5]))
    def time_goes_by(self, minutes: int) -> None:
        """Also backwards a little, as clocks do that are put right."""
        self.now += timedelta(minutes=minutes)

    @rule(minutes=st.sampled_from([0, 31]))
    def release_expired(self, minutes: int) -> None:
        """Now, or when a reservation that was just made has had its time."""
        self.now += timedelta(minutes=minutes)
        expected = [use for use in self.books.uses.values() if use.has_run_out(self.now)]
        assert release_expired(now=self.now) == len(expected)
        for use in expected:
            use.give_back(ran_out=True)

    # The holder

    @rule(pk=coupons, answers=st.sampled_from([ANSWERS, ANSWERS, {}]))
    def unlock(self, pk: int, answers: dict[str, str]) -> None:
        paper, fresh = self.books.papers[pk], Coupon.objects.get(pk=pk)
        key = paper.holder or f"coupon:{pk}"
        is_open = paper.state == "locked" and paper.promise.is_running(self.now, GRACE)
        knows = not paper.promise.asks or key in self.books.answered
        try:
            unlocked = unlock(coupon=fresh, answers=answers, now=self.now)
        except exceptions.NotUnlockable:
            assert paper.state != "available" and not is_open
        except exceptions.AnswersMissing:
            assert is_open and not knows and not answers
        else:
            assert unlocked.state == "available"
            if paper.state != "available":
                assert is_open and (knows or answers)
                paper.state, paper.declined = "available", False
                paper.ends_at = paper.promise.end_of(self.now)
                if paper.promise.asks:
                    self.books.answered.add(key)

    @rule(pk=coupons)
    def decline(self, pk: int) -> None:
        paper = self.books.papers[pk]
        paper.declined = paper.declined or paper.state == "locked"
        assert (decline(coupon=Coupon.objects.get(pk=pk), now=self.now).declined_at is not None) == paper.declined

    @rule(pk=coupons, seen=st.sampled_from([0, 0, 1]))
    def extend(self, pk: int, seen: int) -> None:
        paper = self.books.papers[pk]
        end, last = paper.ends_at, paper.promise.ends_at
        is_over = paper.state == "revoked" or (end is not None and end <= self.now - GRACE)
        can = (
            end is not None
            and paper.promise.deadline == 45
            and paper.extensions < MOST_EXTENSIONS
            and (last is None or end < last)
        )
        try:
            extend(coupon=Coupon.objects.get(pk=pk), seen_extensions=seen, now=self.now)
        except exceptions.DeadlineOver:
            assert is_over and paper.extensions <= seen
        except exceptions.NoMoreExtensions:
            assert not is_over and (paper.extensions < seen or not can)
        else:
            if paper.extensions == seen:
                assert end is not None and can and not is_over
                later = end + timedelta(minutes=45)
                paper.ends_at, paper.extensions = min(filter(None, [later, last])), seen + 1

    @rule(one=CUSTOMERS.filter(bool), other=CUSTOMERS.filter(bool))
    def merge(self, one: str, other: str) -> None:
        expected = self.books.merge(one, other) if one != other else 0
        assert merge(from_key=one, to_key=other, now=self.now) == expected
        self.may_exceed = True

    # The checkout

    @rule(pk=coupons, order=ORDERS, customer=CUSTOMERS)
    def reserve(self, pk: int, order: str, customer: str) -> None:
        paper = self.books.papers[pk]
        self._hold([paper], order, customer, lambda **facts: [reserve(code=paper.code, **facts)], exclusive=False)

    @rule(
        pks=st.lists(coupons, min_size=1, max_size=4, unique=True),
        # Two of one campaign are refused at once, which is soon seen.
        one_of_each=st.sampled_from([True, True, True, False]),
        order=ORDERS,
        customer=CUSTOMERS,
    )
    def reserve_all(self, pks: list[int], one_of_each: bool, order: str, customer: str) -> None:
        papers = [self.books.papers[pk] for pk in pks]
        if one_of_each:
            papers = list({paper.promise.pk: paper for paper in papers}.values())
        codes = [paper.code for paper in papers]
        self._hold(papers, order, customer, lambda **facts: reserve_all(codes=codes, **facts), exclusive=True)

    @rule(order=ORDERS)
    def reserve_none(self, order: str) -> None:
        """The customer tries again without any coupon."""
        self._hold([], order, "", lambda **facts: reserve_all(codes=[], **facts), exclusive=True)

    # Most steps are a checkout's: a rule under another name is drawn more often.
    reserve_more = reserve_most = reserve
    reserve_all_more = reserve_all

    def _hold(
        self,
        papers: list[Paper],
        order: str,
        customer: str,
        take: Callable[..., list[Redemption]],
        *,
        exclusive: bool,
    ) -> None:
        expected = self.books.may_hold(papers, order, customer, now=self.now, exclusive=exclusive)
        try:
            held = take(order_ref=order, facts=make_facts("20.00", customer_key=customer), now=self.now)
        except exceptions.InvalidCode as error:
            assert not expected, error.reason
            self._lapse()
            return
        assert expected is not False
        assert [row.coupon_id for row in held] == [paper.pk for paper in papers]
        self.books.hold(papers, order, customer, until=self.now + TTL, exclusive=exclusive)

    @rule(order=ORDERS, pk=coupons, is_named=st.booleans(), customer=CUSTOMERS)
    def redeem(self, order: str, pk: int, is_named: bool, customer: str) -> None:
        """The order is paid, and never refused, whatever is left."""
        paper = self.books.papers[pk] if is_named else None
        expected = self.books.paid(order, paper)
        if paper is not None and (paper.pk, order) not in self.books.uses:
            use = Use(paper=paper, order=order, state="released", customer="", until=self.now)
            self.books.uses[paper.pk, order] = use
            expected = [use]
        code = None if paper is None else paper.code
        rows = redeem(order_ref=order, code=code, customer_key=customer, now=self.now)
        assert {row.coupon_id for row in rows} == {use.paper.pk for use in expected}
        self._lapse()
        for use in expected:
            if use.state != "redeemed":
                use.customer = use.customer or customer
                use.state, use.was_redeemed, use.ran_out = "redeemed", True, False
        for use in expected:
            self._check_counted(use)

    redeem_more = redeem

    def _check_counted(self, use: Use) -> None:
        """It is over a limit exactly if there was no use left under that one, also of what had run out."""
        row = Redemption.objects.get(coupon=use.paper.pk, order_ref=use.order)
        names = {"coupon": row.counts_coupon, "total": row.counts_total, "customer": row.counts_customer}
        counted = {name for name, counts in names.items() if counts}
        # What is redeemed already is as it was.
        if use.counted == counted:
            return
        use.counted = counted
        wanted = self.books.limits(use.paper, use.customer)
        assert row.over_limit == bool({key[0] for key in wanted} - counted)
        for key, limit in wanted.items():
            assert key[0] in counted or not self.books.has_room(key, limit, now=self.now), key

    @rule(order=ORDERS)
    def release(self, order: str) -> None:
        expected = [use for use in self.books.of(order) if use.state == "reserved"]
        assert len(release(order_ref=order, now=self.now)) == len(expected)
        self._given_back(order, expected)

    @rule(order=ORDERS, because=st.sampled_from(["cancelled", "refunded"]))
    def restore(self, order: str, because: Any) -> None:
        expected = self.books.restored(order, because)
        rows = restore(order_ref=order, because=because, now=self.now)
        assert {row.coupon_id for row in rows} == {use.paper.pk for use in expected}
        assert len(rows) == len(expected)
        self._given_back(order, expected)

    def _given_back(self, order: str, expected: list[Use]) -> None:
        for use in self.books.of(order):
            use.ran_out = False
        for use in expected:
            use.give_back()

    def _lapse(self, rows: dict[tuple[int, str], Redemption] | None = None) -> None:
        """Whoever needs a use gives back what has run out, as far as needed: take over what came back by that."""
        if rows is None:
            rows = {(row.coupon_id, row.order_ref): row for row in Redemption.objects.all()}
        for place, use in self.books.uses.items():
            if use.has_run_out(self.now) and rows[place].state == "released":
                use.give_back(ran_out=True)

    # What always holds

    @invariant()
    def nothing_but_what_the_model_says(self) -> None:
        rows = {(row.coupon_id, row.order_ref): row for row in Redemption.objects.all()}
        self._lapse(rows)
        counts = self.books.counts()
        assert {
            row.pk: (row.state, row.holder_key, row.ends_at, row.extensions, row.declined_at is not None, row.used)
            for row in Coupon.objects.all()
        } == {
            pk: (paper.state, paper.holder, paper.ends_at, paper.extensions, paper.declined, counts["coupon", pk, ""])
            for pk, paper in self.books.papers.items()
        }
        assert {place: (row.state, row.customer_key, row.expired) for place, row in rows.items()} == {
            place: (use.state, use.customer, use.ran_out) for place, use in self.books.uses.items()
        }
        for place, use in self.books.uses.items():
            assert use.state != "reserved" or rows[place].expires_at == use.until
        counters = UsageCounter.objects.filter(used__gt=0).values_list("campaign", "customer_key", "used")
        assert {(pk, key): used for pk, key, used in counters} == {
            (pk, key): used for (kind, pk, key), used in counts.items() if kind != "coupon"
        }
        self._check_limits(counts)

    def _check_limits(self, counts: Counter[Key]) -> None:
        """CO-1: never more uses than promised, but for those over a limit, which are not counted under it."""
        for use in self.books.uses.values():
            for key, limit in self.books.limits(use.paper, use.customer).items():
                allowed = max(limit or 0, self.before[key])
                assert limit is None or counts[key] <= allowed or self.may_exceed, key
        self.before, self.may_exceed = counts, False
