"""The gate: kind × consent × state × cap × rule, as a table; who gets the next place; and a fixed number of queries."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thankyou_flows.mail.composing import DoNotSend, SendLater
from thankyou_flows.mail.gate import PastOrder, Standing, judge, next_morning, offered_since
from thankyou_flows.models import (
    FollowUp,
    Ground,
    MailingList,
    Message,
    MessageKind,
    Suppression,
    WhyNot,
)
from thankyou_flows.values import Objection

from .people import ANN, ANN_KEY, noon

NOON = noon()
LETTERS = MailingList(pk=1, slug="letters", title="Letters")
TIPS = MailingList(pk=2, slug="tips", title="Tips", covers_follow_ups=True)
ABOUT_LETTERS = FollowUp(pk=1, title="On the list", mailing_list=LETTERS)

TRANSACTIONAL, FOLLOW_UP, NEWSLETTER = MessageKind.TRANSACTIONAL, MessageKind.FOLLOW_UP, MessageKind.NEWSLETTER
Reason = Suppression.Reason
MARKETING, FOLLOW_UPS, LETTERS_LEFT = Suppression.MARKETING, Suppression.FOLLOW_UPS, "list:letters"


def days(count: float) -> timedelta:
    return timedelta(days=count)


def bought(objection: Objection, *, days_ago: float = 3) -> dict[str, Any]:
    return {"last_order_at": NOON - days(days_ago), "objection": objection}


CONFIRMED: dict[str, Any] = {"confirmed": frozenset({"letters"})}
TIPS_CONFIRMED: dict[str, Any] = {"confirmed": frozenset({"tips"}), "confirmed_for_follow_ups": frozenset({"tips"})}
PENDING: dict[str, Any] = {"pending": frozenset({"letters"})}
LEFT: dict[str, Any] = {"left": frozenset({"letters"})}
OFFERED, USED, NOT_OFFERED = bought(Objection.OFFERED), bought(Objection.USED), bought(Objection.NOT_OFFERED)
STRANGER: dict[str, Any] = {}
#: What ``standings`` says of an order that is not paid, and of one at which the person objected.
UNPAID: dict[str, Any] = {"last_order_at": None, "orders": {}}
UNPAID_USED: dict[str, Any] = {"objected_at": NOON - timedelta(days=2)}
WEEKLY, MONTHLY = {"rest": timedelta(days=7)}, {"rest": timedelta(days=30)}


def but(scope: str, reason: str) -> dict[str, Any]:
    return {"suppressed": {scope: reason}}


#: Kind, what is known of the person, rules of the moment → what the gate says: a ground, or why not.
MATRIX: list[tuple[str, MessageKind, dict[str, Any], dict[str, Any], str]] = [
    # An answer to what the customer did: nothing stops it but an address that does not exist.
    ("receipt, stranger", TRANSACTIONAL, STRANGER, {}, Ground.REQUEST),
    ("receipt, left the list", TRANSACTIONAL, LEFT, but(LETTERS_LEFT, Reason.LEFT), Ground.REQUEST),
    ("receipt, left all", TRANSACTIONAL, STRANGER, but(MARKETING, Reason.LEFT), Ground.REQUEST),
    ("receipt, objected", TRANSACTIONAL, USED, but(FOLLOW_UPS, Reason.OBJECTED), Ground.REQUEST),
    ("receipt, complained", TRANSACTIONAL, STRANGER, but(MARKETING, Reason.COMPLAINED), Ground.REQUEST),
    ("receipt, erased", TRANSACTIONAL, STRANGER, but(MARKETING, Reason.ERASED), Ground.REQUEST),
    ("receipt, bounced", TRANSACTIONAL, STRANGER, but(MARKETING, Reason.BOUNCED), WhyNot.BOUNCED),
    ("receipt, paused", TRANSACTIONAL, STRANGER, {"paused_until": NOON + days(5)}, Ground.REQUEST),
    ("receipt, just had one", TRANSACTIONAL, STRANGER, {"last_marketing_at": NOON}, Ground.REQUEST),
    ("receipt, had enough", TRANSACTIONAL, STRANGER, {"sent_in_30_days": 99}, Ground.REQUEST),
    ("receipt, at night", TRANSACTIONAL, STRANGER, {"time_zone": "Pacific/Auckland"}, Ground.REQUEST),
    # A newsletter: its list, confirmed.
    ("newsletter, stranger", NEWSLETTER, STRANGER, {}, WhyNot.NO_CONSENT),
    ("newsletter, customer", NEWSLETTER, OFFERED, {}, WhyNot.NO_CONSENT),
    ("newsletter, another list", NEWSLETTER, TIPS_CONFIRMED, {}, WhyNot.NO_CONSENT),
    ("newsletter, pending", NEWSLETTER, PENDING, {}, WhyNot.PENDING),
    ("newsletter, confirmed", NEWSLETTER, CONFIRMED, {}, Ground.CONSENT),
    ("newsletter, left", NEWSLETTER, LEFT, {}, WhyNot.LEFT),
    ("newsletter, confirmed, objected to follow-ups", NEWSLETTER, CONFIRMED, but(FOLLOW_UPS, Reason.OBJECTED), Ground.CONSENT),
    ("newsletter, list suppressed", NEWSLETTER, CONFIRMED, but(LETTERS_LEFT, Reason.LEFT), WhyNot.LEFT),
    ("newsletter, other list suppressed", NEWSLETTER, CONFIRMED, but("list:tips", Reason.LEFT), Ground.CONSENT),
    ("newsletter, left all", NEWSLETTER, CONFIRMED, but(MARKETING, Reason.LEFT), WhyNot.LEFT),
    ("newsletter, erased", NEWSLETTER, CONFIRMED, but(MARKETING, Reason.ERASED), WhyNot.ERASED),
    ("newsletter, bounced", NEWSLETTER, CONFIRMED, but(MARKETING, Reason.BOUNCED), WhyNot.BOUNCED),
    ("newsletter, complained", NEWSLETTER, CONFIRMED, but(MARKETING, Reason.COMPLAINED), WhyNot.COMPLAINED),
    ("newsletter, by hand", NEWSLETTER, CONFIRMED, but(MARKETING, Reason.MANUAL), WhyNot.BY_HAND),
    ("newsletter, paused", NEWSLETTER, CONFIRMED, {"paused_until": NOON + days(5)}, WhyNot.PAUSED),
    ("newsletter, pause over", NEWSLETTER, CONFIRMED, {"paused_until": NOON}, Ground.CONSENT),
    ("newsletter, one today", NEWSLETTER, CONFIRMED, {"last_marketing_at": NOON - days(0.9)}, WhyNot.TOO_MANY),
    ("newsletter, one yesterday", NEWSLETTER, CONFIRMED, {"last_marketing_at": NOON - days(1)}, Ground.CONSENT),
    ("newsletter, weekly, yesterday", NEWSLETTER, CONFIRMED, {**WEEKLY, "last_marketing_at": NOON - days(1)}, WhyNot.TOO_MANY),
    ("newsletter, weekly, one last week", NEWSLETTER, CONFIRMED, {**WEEKLY, "last_marketing_at": NOON - days(7)}, Ground.CONSENT),
    ("newsletter, seven this month", NEWSLETTER, CONFIRMED, {"sent_in_30_days": 7}, Ground.CONSENT),
    ("newsletter, eight this month", NEWSLETTER, CONFIRMED, {"sent_in_30_days": 8}, WhyNot.TOO_MANY),
    ("newsletter, at night there", NEWSLETTER, CONFIRMED, {"time_zone": "Pacific/Auckland"}, WhyNot.QUIET),
    ("newsletter, unknown zone", NEWSLETTER, CONFIRMED, {"time_zone": "Mars/Olympus"}, Ground.CONSENT),
    # A follow-up: consent that covers it, or the soft opt-in.
    ("follow-up, stranger", FOLLOW_UP, STRANGER, {}, WhyNot.NO_CONSENT),
    ("follow-up, on a list without them", FOLLOW_UP, CONFIRMED, {}, WhyNot.NO_CONSENT),
    ("follow-up, on a list with them", FOLLOW_UP, TIPS_CONFIRMED, {}, Ground.CONSENT),
    ("follow-up, a list with them suppressed", FOLLOW_UP, TIPS_CONFIRMED, but("list:tips", Reason.MANUAL), WhyNot.NO_CONSENT),
    ("follow-up, objection offered", FOLLOW_UP, OFFERED, {}, Ground.SOFT_OPT_IN),
    ("follow-up, objection not offered", FOLLOW_UP, NOT_OFFERED, {}, WhyNot.NOT_OFFERED),
    ("follow-up, objection used", FOLLOW_UP, USED, {}, WhyNot.OBJECTED),
    ("follow-up, used, on a list with them", FOLLOW_UP, {**USED, **TIPS_CONFIRMED}, {}, Ground.CONSENT),
    ("follow-up, not offered, on a list with them", FOLLOW_UP, {**NOT_OFFERED, **TIPS_CONFIRMED}, {}, Ground.CONSENT),
    ("follow-up, offered long ago", FOLLOW_UP, bought(Objection.OFFERED, days_ago=366), {}, WhyNot.NO_CONSENT),
    ("follow-up, offered a year ago", FOLLOW_UP, bought(Objection.OFFERED, days_ago=365), {}, Ground.SOFT_OPT_IN),
    ("follow-up, objected since", FOLLOW_UP, OFFERED, {"objected_at": NOON - days(1)}, WhyNot.OBJECTED),
    ("follow-up, only an unpaid order", FOLLOW_UP, UNPAID, {}, WhyNot.NO_CONSENT),
    ("follow-up, objected at an unpaid order since", FOLLOW_UP, {**OFFERED, **UNPAID_USED}, {}, WhyNot.OBJECTED),
    ("follow-up, objection suppression", FOLLOW_UP, OFFERED, but(FOLLOW_UPS, Reason.OBJECTED), WhyNot.OBJECTED),
    ("follow-up, suppression beats consent", FOLLOW_UP, TIPS_CONFIRMED, but(FOLLOW_UPS, Reason.OBJECTED), WhyNot.OBJECTED),
    ("follow-up, left all", FOLLOW_UP, OFFERED, but(MARKETING, Reason.LEFT), WhyNot.LEFT),
    ("follow-up, left a list", FOLLOW_UP, {**OFFERED, **LEFT}, but(LETTERS_LEFT, Reason.LEFT), Ground.SOFT_OPT_IN),
    ("follow-up, erased", FOLLOW_UP, OFFERED, but(MARKETING, Reason.ERASED), WhyNot.ERASED),
    ("follow-up, bounced", FOLLOW_UP, OFFERED, but(MARKETING, Reason.BOUNCED), WhyNot.BOUNCED),
    ("follow-up, complained", FOLLOW_UP, OFFERED, but(MARKETING, Reason.COMPLAINED), WhyNot.COMPLAINED),
    ("follow-up, paused", FOLLOW_UP, OFFERED, {"paused_until": NOON + days(5)}, WhyNot.PAUSED),
    ("follow-up, one today", FOLLOW_UP, OFFERED, {"last_marketing_at": NOON - days(0.5)}, WhyNot.TOO_MANY),
    ("follow-up, monthly, one last week", FOLLOW_UP, OFFERED, {**MONTHLY, "last_marketing_at": NOON - days(7)}, WhyNot.TOO_MANY),
    ("follow-up, had enough", FOLLOW_UP, OFFERED, {"sent_in_30_days": 8}, WhyNot.TOO_MANY),
    ("follow-up, at night there", FOLLOW_UP, OFFERED, {"time_zone": "Pacific/Auckland"}, WhyNot.QUIET),
    # No hurry makes good what nobody agreed to.
    ("follow-up, not offered and paused", FOLLOW_UP, NOT_OFFERED, {"paused_until": NOON + days(5)}, WhyNot.NOT_OFFERED),
]  # fmt: skip


def message_of(kind: MessageKind, **fields: Any) -> Message:
    if kind == NEWSLETTER:
        fields.setdefault("mailing_list", LETTERS)
    return Message(kind=kind, composer="email", email=ANN, email_key=ANN_KEY, **fields)


def said(message: Message, standing: Standing, now: datetime = NOON) -> str:
    """Return what the gate says in one word: the ground, or why not."""
    try:
        return judge(message=message, standing=standing, now=now)
    except (DoNotSend, SendLater) as no:
        return no.why


@pytest.fixture(autouse=True)
def _shop(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Vienna"
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "QUIET_HOURS": "21:00-08:00"}


@pytest.mark.parametrize(
    ("kind", "person", "rules", "answer"), [row[1:] for row in MATRIX], ids=[row[0] for row in MATRIX]
)
def test_the_matrix(kind: MessageKind, person: dict[str, Any], rules: dict[str, Any], answer: str) -> None:
    """EM-6, EM-11, EM-12: kind × consent × state × cap × rule."""
    assert said(message_of(kind), Standing(**{**person, **rules})) == answer


def test_the_matrix_names_each_case_once() -> None:
    """A row that says the same as another would hide it."""
    assert len({row[0] for row in MATRIX}) == len(MATRIX)


@pytest.mark.parametrize(
    ("person", "answer"),
    [
        (CONFIRMED, Ground.CONSENT),
        (PENDING, WhyNot.PENDING),
        (LEFT, WhyNot.LEFT),
        ({**LEFT, **OFFERED}, WhyNot.LEFT),
        (OFFERED, Ground.SOFT_OPT_IN),
        ({**PENDING, **NOT_OFFERED}, WhyNot.NOT_OFFERED),
        (STRANGER, WhyNot.NO_CONSENT),
    ],
    ids=["confirmed", "pending", "left", "left_customer", "customer", "pending_not_offered", "stranger"],
)
def test_a_follow_up_with_a_list_of_its_own(person: dict[str, Any], answer: str) -> None:
    """EM-11: the list's consent carries it, and whoever left that list gets it on no other ground."""
    message = message_of(FOLLOW_UP, follow_up=ABOUT_LETTERS)
    assert said(message, Standing(**person)) == answer


def test_a_newsletter_without_a_list_goes_to_nobody() -> None:
    """EM-11: consent is to a list; a list that is gone has none."""
    assert said(message_of(NEWSLETTER, mailing_list=None), Standing(**CONFIRMED)) == WhyNot.NO_CONSENT


@pytest.mark.parametrize(
    ("reason", "answer"),
    [
        (Reason.COMPLAINED, WhyNot.COMPLAINED),
        (Reason.BOUNCED, WhyNot.BOUNCED),
        (Reason.LEFT, Ground.REQUEST),
        (Reason.ERASED, Ground.REQUEST),
    ],
    ids=lambda value: str(value),
)
def test_the_question_for_a_sign_up(reason: Reason, answer: str) -> None:
    """EM-3, EM-6: it is mail that somebody else may have asked for; whoever complained is not asked again."""
    message = Message(kind=TRANSACTIONAL, composer="confirmation", email=ANN, email_key=ANN_KEY)
    assert said(message, Standing(suppressed={MARKETING: reason})) == answer


@pytest.mark.parametrize("where", ["ref", "context"])
def test_the_order_that_a_message_is_about_counts(where: str) -> None:
    """EM-11: an order placed before an objection was offered never gets a follow-up, whatever a later one offered."""
    orders = {
        "old": PastOrder(placed_at=NOON - days(30), objection=Objection.NOT_OFFERED),
        "new": PastOrder(placed_at=NOON - days(3), objection=Objection.OFFERED),
    }
    standing = Standing(orders=orders, **OFFERED)

    def about(number: str) -> Message:
        return message_of(
            FOLLOW_UP,
            reason="order_paid" if where == "ref" else "coupon_unused",
            **({"ref": number} if where == "ref" else {"ref": "7", "context": {"order": number}}),
        )

    assert said(about("old"), standing) == WhyNot.NOT_OFFERED
    assert said(about("new"), standing) == Ground.SOFT_OPT_IN


def test_an_order_that_nobody_knows_is_no_ground() -> None:
    """EM-11: planning said which order, and that one is gone: another one does not stand in for it."""
    for about in ({"context": {"order": "gone"}}, {"reason": "order_paid", "ref": "gone"}):
        assert said(message_of(FOLLOW_UP, **about), Standing(orders={}, **OFFERED)) == WhyNot.NO_CONSENT


@pytest.mark.parametrize(
    ("setting", "objection", "answer"),
    [
        ("2026-02-27", Objection.NOT_OFFERED, Ground.SOFT_OPT_IN),
        ("2026-02-27T12:00:00+00:00", Objection.NOT_OFFERED, Ground.SOFT_OPT_IN),
        ("2026-02-27T12:00:01+00:00", Objection.NOT_OFFERED, WhyNot.NOT_OFFERED),
        ("2026-02-28", Objection.NOT_OFFERED, WhyNot.NOT_OFFERED),
        ("2026-02-01", Objection.USED, WhyNot.OBJECTED),
        ("2026-02-28", Objection.OFFERED, Ground.SOFT_OPT_IN),
        ("nonsense", Objection.NOT_OFFERED, WhyNot.NOT_OFFERED),
        ("2026-13-45", Objection.NOT_OFFERED, WhyNot.NOT_OFFERED),
    ],
    ids=["day", "moment", "second_too_late", "later", "used", "said_so_itself", "nonsense", "no_such_day"],
)
def test_since_when_the_checkout_offers_it(settings: Any, setting: str, objection: Objection, answer: str) -> None:
    """EM-11: OBJECTION_OFFERED_SINCE speaks for orders that do not say it themselves; never against an objection."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "OBJECTION_OFFERED_SINCE": setting}
    assert said(message_of(FOLLOW_UP), Standing(**bought(objection))) == answer


def test_a_day_begins_in_the_shop(settings: Any) -> None:
    """EM-11: a date alone is a day of the shop's own zone."""
    settings.THANKYOU_FLOWS = {**settings.THANKYOU_FLOWS, "OBJECTION_OFFERED_SINCE": "2026-02-27"}
    assert offered_since() == datetime.fromisoformat("2026-02-26T23:00:00+00:00")


# Until when


def until(standing: Standing, message: Message | None = None) -> datetime:
    with pytest.raises(SendLater) as later:
        judge(message=message or message_of(NEWSLETTER), standing=standing, now=NOON)
    return later.value.until


def test_a_pause_lasts_until_it_ends() -> None:
    """EM-12: and if it ends at night, until that morning."""
    assert until(Standing(paused_until=NOON + days(14), **CONFIRMED)) == NOON + days(14)
    assert until(
        Standing(
            paused_until=NOON
            + days(
                14,
            )
            + timedelta(hours=10),
            **CONFIRMED,
        )
    ) == datetime.fromisoformat("2026-03-17T07:00:00+00:00")


def test_a_place_is_free_after_the_rest() -> None:
    """EM-12: the next one waits as long as the person wants, and not shorter than the shop rests."""
    assert until(Standing(last_marketing_at=NOON - timedelta(hours=1), **CONFIRMED)) == NOON + timedelta(hours=23)
    week = Standing(last_marketing_at=NOON - days(1), rest=days(7), **CONFIRMED)
    assert until(week) == NOON + days(6)


def test_a_month_is_over_when_its_first_mail_is(settings: Any) -> None:
    """EM-12: the cap frees a place when the oldest of the counted mails is 30 days old."""
    standing = Standing(
        sent_in_30_days=8, room_at=NOON + days(4), last_marketing_at=NOON - timedelta(hours=20), **CONFIRMED
    )
    assert until(standing) == NOON + days(4)


def test_the_same_message_keeps_its_place() -> None:
    """EM-10, EM-12: a second attempt of the message that took the place is not stopped by itself."""
    message = message_of(NEWSLETTER)
    standing = Standing(last_marketing_at=NOON, last_marketing_key=message.key, **CONFIRMED)
    assert said(message, standing) == Ground.CONSENT
    assert said(message_of(NEWSLETTER), standing) == WhyNot.TOO_MANY


@given(
    hours=st.integers(min_value=0, max_value=14 * 24),
    rest=st.sampled_from([None, days(7), days(30)]),
    paused=st.none() | st.integers(min_value=-48, max_value=400),
    sent=st.integers(min_value=0, max_value=12),
    zone=st.sampled_from(["", "Europe/Vienna", "America/New_York", "Asia/Kolkata", "Pacific/Chatham", "nowhere"]),
)
def test_later_is_later(hours: int, rest: timedelta | None, paused: int | None, sent: int, zone: str) -> None:
    """EM-12: whatever waits, waits for a time to come, and outside the quiet hours."""
    now = NOON + timedelta(hours=hours)
    standing = Standing(
        rest=rest,
        paused_until=None if paused is None else now + timedelta(hours=paused),
        sent_in_30_days=sent,
        time_zone=zone,
        last_marketing_at=NOON,
        **CONFIRMED,
    )
    try:
        judge(message=message_of(NEWSLETTER), standing=standing, now=now)
    except SendLater as later:
        assert later.until > now
        assert next_morning(later.until, time_zone=zone) is None
