"""A coupon for a little more information (CO-9): what is asked, answered, declined, and what unlocks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from coupons import unlocking
from coupons.exceptions import AnswersMissing, NotUnlockable
from coupons.issuing import issue
from coupons.models import Answer, Campaign, Coupon, CouponEvent, Question
from coupons.quoting import explain
from coupons.redemption import redeem, reserve
from coupons.signals import coupon_unlocked, marketing_agreed
from coupons.unlocking import decline, questions_for, unlock
from tests.test_coupons.asking import make_answer, make_locked, make_question
from tests.test_coupons.crowd import AtOnce
from tests.test_coupons.factories import NOW, make_campaign, make_facts

TEA, MILK = "which_tea_do_you_like_best", "how_do_you_drink_it"
pytestmark = pytest.mark.django_db


def events_of(coupon: Coupon, kind: str) -> int:
    return CouponEvent.objects.filter(coupon=coupon, kind=kind).count()


@pytest.fixture
def heard() -> Any:
    """News of unlocked coupons and of agreed newsletters."""
    news: list[tuple[str, dict[str, Any]]] = []

    def unlocked(**facts: Any) -> None:
        news.append(("unlocked", facts))

    def agreed(**facts: Any) -> None:
        news.append(("marketing", facts))

    coupon_unlocked.connect(unlocked)
    marketing_agreed.connect(agreed)
    yield news
    coupon_unlocked.disconnect(unlocked)
    marketing_agreed.disconnect(agreed)


# Unlocking --------------------------------------------------------------------------------------------


def test_answers_unlock_and_are_stored_once_with_what_was_said(
    heard: Any, django_capture_on_commit_callbacks: Any
) -> None:
    """CO-9: the answer stands beside the purpose and the time that the customer read; the audit trail does not tell
    what was answered (CO-11).
    """
    coupon = make_locked()
    with django_capture_on_commit_callbacks(execute=True):
        fresh = unlock(coupon=coupon, answers={TEA: " Oolong ", MILK: "With milk"}, now=NOW)
    assert (fresh.state, fresh.unlocked_at) == (Coupon.State.AVAILABLE, NOW)
    assert explain(coupon=fresh, now=NOW) is None
    first, second = Answer.objects.order_by("pk")
    assert (first.holder_key, first.question_name, first.value) == ("c:ann", TEA, "Oolong")
    assert (first.label, first.purpose) == ("Which tea do you like best?", "So that we can suggest teas you will like.")
    assert (first.campaign, first.coupon, first.answered_at) == (coupon.campaign, coupon, NOW)
    assert first.delete_after == NOW + timedelta(days=365)
    assert second.delete_after == NOW + timedelta(days=30)
    assert [(name, facts["coupon"].pk) for name, facts in heard] == [("unlocked", coupon.pk)]
    event = CouponEvent.objects.get(coupon=coupon, kind="unlocked")
    assert (event.actor, event.detail) == ("customer", {"answers": 2})


@pytest.mark.parametrize(
    ("own", "campaigns", "end"),
    [(1, 30, 1), (9, 30, 7), (None, 30, 7), (9, 5, 5), (3, None, 3)],
)
def test_unlocking_never_lengthens_an_end_of_the_coupons_own(own: int | None, campaigns: int | None, end: int) -> None:
    """CD-2: an imported coupon has one; the earliest of the three counts."""
    coupon = make_locked(deadline_minutes=7 * 24 * 60)
    days = {None: None} | {number: NOW + timedelta(days=number) for number in range(40)}
    Coupon.objects.update(ends_at=days[own])
    Campaign.objects.update(ends_at=days[campaigns])
    assert unlock(coupon=coupon, answers={TEA: "Oolong"}, now=NOW).ends_at == days[end]


def test_what_is_optional_may_be_left_empty() -> None:
    """CO-9: asked data is declared required or optional."""
    fresh = unlock(coupon=make_locked(), answers={TEA: "Oolong", MILK: ""}, now=NOW)
    assert fresh.state == Coupon.State.AVAILABLE
    assert Answer.objects.count() == 1


def test_known_answers_are_never_asked_again() -> None:
    """CO-9: not by another campaign with the same question either; but once their time is over."""
    unlock(coupon=make_locked(), answers={TEA: "Oolong", MILK: "Pure"}, now=NOW)
    other = make_locked()
    assert questions_for(coupon=other, now=NOW) == []
    month, year = NOW + timedelta(days=30), NOW + timedelta(days=365)
    assert [each.clean_name for each in questions_for(coupon=other, now=month)] == [MILK]
    assert [each.clean_name for each in questions_for(coupon=other, now=year)] == [TEA, MILK]
    assert questions_for(coupon=make_locked(holder_key="c:bob"), now=NOW) != []
    assert unlock(coupon=other, answers={}, now=NOW).state == Coupon.State.AVAILABLE


def test_an_answer_in_time_stays_and_an_outdated_one_makes_room() -> None:
    """CO-9: answers are stored once."""
    coupon = make_locked()
    make_answer(coupon)
    unlock(coupon=coupon, answers={TEA: "Something else"}, now=NOW)
    assert Answer.objects.get().value == "Oolong"
    later = NOW + timedelta(days=366)
    unlock(coupon=make_locked(now=later), answers={TEA: "Sencha"}, now=later)
    assert (Answer.objects.get().value, Answer.objects.get().answered_at) == ("Sencha", later)


def test_answering_in_steps() -> None:
    """CO-9: what was valid is kept, what is open is asked further."""
    coupon = make_locked()
    with pytest.raises(AnswersMissing) as caught:
        unlock(coupon=coupon, answers={MILK: "Pure"}, now=NOW)
    assert caught.value.params["names"] == [TEA]
    coupon.refresh_from_db()
    assert coupon.state == Coupon.State.LOCKED
    assert [each.clean_name for each in questions_for(coupon=coupon, now=NOW)] == [TEA]
    assert unlock(coupon=coupon, answers={TEA: "Oolong"}, now=NOW).state == Coupon.State.AVAILABLE
    assert Answer.objects.count() == 2


@pytest.mark.parametrize("wrong", ["With tears", ["Pure", "With milk"], 7, "\0"], ids=["choice", "list", "int", "nul"])
def test_a_wrong_answer_is_not_passed_over_because_it_was_optional(wrong: object) -> None:
    """CO-9: whoever meant to say something is told that it did not arrive."""
    coupon = make_locked()
    with pytest.raises(AnswersMissing) as caught:
        unlock(coupon=coupon, answers={TEA: "Oolong", MILK: wrong}, now=NOW)
    assert caught.value.params["names"] == [MILK]
    assert [answer.question_name for answer in Answer.objects.all()] == [TEA]


def test_only_what_was_asked_is_stored() -> None:
    """CO-9: a request cannot put anything else into the table."""
    unlock(coupon=make_locked(), answers={TEA: "Oolong", "iban": "DE00", "": "x", "agree_to_marketing": "on"}, now=NOW)
    assert [answer.question_name for answer in Answer.objects.all()] == [TEA]


@pytest.mark.parametrize(
    ("field_type", "choices", "given", "stored", "text"),
    [
        ("singleline", "", "x" * 255, "x" * 255, "x" * 255),
        ("singleline", "", "x" * 256, None, ""),
        ("multiline", "", "one\ntwo", "one\ntwo", "one\ntwo"),
        ("multiline", "", "x" * 2001, None, ""),
        ("number", "", "3.50", "3.5", "3.5"),
        ("number", "", "100", "100", "100"),
        ("number", "", "0", "0", "0"),
        ("number", "", "1e400000000", None, ""),
        ("number", "", "NaN", None, ""),
        ("number", "", "many", None, ""),
        ("date", "", "2000-02-29", "2000-02-29", "2000-02-29"),
        ("date", "", "2001-02-29", None, ""),
        ("dropdown", "Green\nBlack", "Green", "Green", "Green"),
        ("dropdown", "Green\nBlack", "Red", None, ""),
        ("radio", "Green, Black", "Black", "Black", "Black"),
        ("checkboxes", "Cups\nPots\nSweets", ["Cups", "Sweets"], ["Cups", "Sweets"], "Cups, Sweets"),
        ("checkboxes", "Cups\nPots", ["Cups", "Knives"], None, ""),
        ("checkboxes", "Cups\nPots", [], None, ""),
    ],
)
def test_each_kind_of_answer(field_type: str, choices: str, given: object, stored: object, text: str) -> None:
    """CO-9: kept as JSON, each kind within its bounds."""
    campaign = make_campaign()
    make_question(campaign, "Tell", field_type=field_type, choices=choices)
    coupon = issue(campaign=campaign, holder_key="c:ann", now=NOW)
    if stored is None:
        with pytest.raises(AnswersMissing):
            unlock(coupon=coupon, answers={"tell": given}, now=NOW)
        assert not Answer.objects.exists()
    else:
        unlock(coupon=coupon, answers={"tell": given}, now=NOW)
        assert (Answer.objects.get().value, Answer.objects.get().text) == (stored, text)


def test_twice_is_once(heard: Any, django_capture_on_commit_callbacks: Any) -> None:
    """CO-9: a second press or tab gets the coupon as it is, and stores nothing."""
    coupon = make_locked(marketing_text="Write to me", deadline_minutes=60)
    with django_capture_on_commit_callbacks(execute=True):
        first = unlock(coupon=coupon, answers={TEA: "Oolong"}, now=NOW)
        second = unlock(
            coupon=coupon, answers={TEA: "Sencha", MILK: "Pure"}, marketing=True, now=NOW + timedelta(minutes=5)
        )
    assert (first.ends_at, first.unlocked_at) == (second.ends_at, second.unlocked_at)
    assert events_of(coupon, "unlocked") == Answer.objects.count() == len(heard) == 1


def test_the_personal_deadline_begins_with_unlocking() -> None:
    """CO-9, CD-2: it is the one that was promised at issue, and never outlasts the campaign."""
    coupon = make_locked(deadline_minutes=60)
    assert coupon.ends_at is None
    Campaign.objects.update(deadline_minutes=5)
    later = NOW + timedelta(days=3)
    assert unlock(coupon=coupon, answers={TEA: "Oolong"}, now=later).ends_at == later + timedelta(minutes=60)
    end = NOW + timedelta(minutes=20)
    other = make_locked(holder_key="c:bob", deadline_minutes=60, ends_at=end)
    assert unlock(coupon=other, answers={TEA: "Oolong"}, now=NOW).ends_at == end


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda coupon: Coupon.objects.update(state="revoked"), "revoked"),
        (lambda coupon: Campaign.objects.update(status="paused"), "campaign_not_running"),
        (lambda coupon: Campaign.objects.update(ends_at=NOW - timedelta(hours=1)), "campaign_not_running"),
        (lambda coupon: Coupon.objects.update(ends_at=NOW - timedelta(hours=1)), "over"),
    ],
    ids=["revoked", "paused", "ended", "over"],
)
def test_what_is_over_cannot_be_unlocked(change: Any, reason: str) -> None:
    """CO-9: and then no answer is kept for nothing."""
    coupon = make_locked()
    change(coupon)
    with pytest.raises(NotUnlockable) as caught:
        unlock(coupon=coupon, answers={TEA: "Oolong"}, now=NOW)
    assert caught.value.reason == reason
    assert not Answer.objects.exists()


@pytest.mark.parametrize("stroke", ["revoked", "paused"])
def test_the_shop_is_quicker_than_the_answers(stroke: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-9: the UPDATE looks again at all that the first look saw."""
    coupon = make_locked()
    look = unlocking.questions_for

    def slowly(**facts: Any) -> list[Question]:
        found = look(**facts)
        if stroke == "revoked":
            Coupon.objects.update(state="revoked")
        else:
            Campaign.objects.update(status="paused")
        return found

    monkeypatch.setattr(unlocking, "questions_for", slowly)
    with pytest.raises(NotUnlockable):
        unlock(coupon=coupon, answers={TEA: "Oolong"}, now=NOW)
    assert not Answer.objects.exists()
    assert events_of(coupon, "unlocked") == 0


def test_a_coupon_without_holder_shares_no_answers() -> None:
    """CO-9: nobody's answers are not everybody's."""
    coupon, other = make_locked(holder_key=""), make_locked(holder_key="")
    unlock(coupon=coupon, answers={TEA: "Oolong"}, now=NOW)
    assert len(questions_for(coupon=other, now=NOW)) == 2
    assert [each.clean_name for each in questions_for(coupon=coupon, now=NOW)] == [MILK]


def test_erasing_does_not_take_the_coupon_away() -> None:
    """CO-9, GDPR art. 7(3): withdraw, then redeem."""
    coupon = unlock(coupon=make_locked(), answers={TEA: "Oolong"}, now=NOW)
    Answer.objects.all().delete()
    reserve(code=coupon.code, order_ref="1", facts=make_facts(), now=NOW)
    assert len(redeem(order_ref="1", now=NOW)) == 1


# The newsletter's box ---------------------------------------------------------------------------------


@pytest.mark.parametrize("ticked", [True, False])
@pytest.mark.parametrize("text", ["Send me your letter.", ""])
def test_the_box_decides_nothing(ticked: bool, text: str, heard: Any, django_capture_on_commit_callbacks: Any) -> None:
    """CO-9: it is told once if it was ticked, with what it said."""
    coupon, request = make_locked(marketing_text=text), object()
    with django_capture_on_commit_callbacks(execute=True):
        facts: Any = {"marketing": ticked, "email": "ann@example.com", "request": request}
        fresh = unlock(coupon=coupon, answers={TEA: "Oolong"}, now=NOW, **facts)
    assert fresh.state == Coupon.State.AVAILABLE
    told = [facts for name, facts in heard if name == "marketing"]
    assert len(told) == int(ticked and bool(text))
    for facts in told:
        assert (facts["email"], facts["text"], facts["request"]) == ("ann@example.com", text, request)


def test_the_box_alone_unlocks_nothing(heard: Any, django_capture_on_commit_callbacks: Any) -> None:
    """CO-9: consent does not pay for the coupon, and is not taken before it is unlocked."""
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(AnswersMissing):
        unlock(coupon=make_locked(marketing_text="Write to me"), answers={}, marketing=True, now=NOW)
    assert heard == []


# Declining --------------------------------------------------------------------------------------------


def test_declining_and_a_change_of_mind() -> None:
    """CO-9: as easy as answering, safe to repeat, and never the last word."""
    coupon = decline(coupon=make_locked(), now=NOW)
    assert (coupon.state, coupon.declined_at) == (Coupon.State.LOCKED, NOW)
    assert decline(coupon=coupon, now=NOW + timedelta(hours=1)).declined_at == NOW
    assert events_of(coupon, "declined") == 1
    fresh = unlock(coupon=coupon, answers={TEA: "Oolong"}, now=NOW)
    assert (fresh.state, fresh.declined_at) == (Coupon.State.AVAILABLE, None)
    assert decline(coupon=fresh, now=NOW).state == Coupon.State.AVAILABLE
    assert events_of(coupon, "declined") == 1


# Races ------------------------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twenty_tabs_unlock_once(at_once: AtOnce) -> None:
    """CO-9: one of them unlocks, the others get the same coupon; answers are stored once."""
    coupon = make_locked(deadline_minutes=60)
    results = at_once(
        lambda n: unlock(coupon=coupon, answers={TEA: f"Tea {n}"}, now=NOW + timedelta(minutes=n)).ends_at
    )
    assert len(set(results)) == 1, results
    assert (events_of(coupon, "unlocked"), Answer.objects.count()) == (1, 1)


@pytest.mark.postgres
@pytest.mark.teeth
@pytest.mark.django_db(transaction=True)
def test_without_the_guard_it_unlocks_more_than_once(at_once: AtOnce, monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-9: the same tabs with an UPDATE that does not ask for the state; the test above would notice."""

    def unguarded(coupon: Coupon, *, now: Any) -> bool:
        return bool(Coupon.objects.filter(pk=coupon.pk).update(state=Coupon.State.AVAILABLE, unlocked_at=now))

    monkeypatch.setattr(unlocking, "_open", unguarded)
    coupon = make_locked()
    at_once(lambda n: unlock(coupon=coupon, answers={TEA: f"Tea {n}"}, now=NOW + timedelta(minutes=n)))
    assert events_of(coupon, "unlocked") > 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_steps_in_twenty_tabs_store_each_answer_once(at_once: AtOnce) -> None:
    """CO-9: also over an answer whose time is over."""
    coupon = make_locked()
    make_answer(coupon, MILK, delete_after=NOW)
    results = at_once(lambda n: unlock(coupon=coupon, answers={MILK: "Pure" if n % 2 else "With milk"}, now=NOW))
    assert all(isinstance(result, AnswersMissing) for result in results), results
    assert Answer.objects.get().answered_at == NOW
