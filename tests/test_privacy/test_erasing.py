"""After an erasure nothing in the database leads to the person any more (EM-13; GDPR 17)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from coupons.holders import customer_key
from coupons.models import Coupon, CouponEvent, Redemption, UsageCounter
from coupons.redemption import restore
from coupons.verifying import verify
from tests.test_coupons.factories import make_campaign
from tests.test_privacy.world import EMAIL, MARKER, NOW, OUTSIDE, PROVED, dump, make_person, tables_with
from thankyou_flows.models import (
    ConfirmationLink,
    ConsentReceipt,
    Contact,
    MailingList,
    Message,
    OrderRecord,
    Subscription,
    Suppression,
    WhyNot,
)
from thankyou_flows.newsletter import incentives, mailbox_key
from thankyou_flows.privacy.erasing import erase_person
from thankyou_flows.privacy.exporting import export_person
from thankyou_flows.privacy.signals import person_erased
from thankyou_flows.privacy.steps import proof_key
from thankyou_flows.signals import contact_left

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _proved(settings: Any) -> None:
    settings.THANKYOU_COUPONS = PROVED


def test_the_dump_of_the_database_does_not_hold_the_person() -> None:
    """EM-13: no marker, no address, no key of the address; but the suppression, and the account, which is the shop's."""
    made = make_person(times=3)
    assert len(tables_with(MARKER)) == 12
    erase_person(email=EMAIL, now=NOW)
    assert tables_with(MARKER) == set()
    assert tables_with(EMAIL) == set()
    assert tables_with(made.key) == {Suppression._meta.db_table}
    assert tables_with(made.key[-20:]) == {Suppression._meta.db_table}
    assert tables_with(f"'{made.account}'") == set()
    # What is outside is the shop's to erase.
    assert tables_with(MARKER, without=set()) <= OUTSIDE


def test_another_person_loses_nothing() -> None:
    """EM-13: rows of others stay as they are, to the letter."""
    make_person()
    before = dump()
    make_person(email="bob@example.com", marker="bobmarker", number="B")
    bobs = [line for line in dump().splitlines() if line not in set(before.splitlines())]
    erase_person(email=EMAIL, now=NOW)
    after = set(dump().splitlines())
    assert [line for line in bobs if line not in after and not line.startswith("sqlite_sequence")] == []


def test_it_is_idempotent() -> None:
    """EM-13: the second time there is nothing left to do, and the suppression stays."""
    make_person(times=2)
    first = erase_person(email=EMAIL, now=NOW)
    before = dump()
    assert first["thankyou_flows.contact"] == 1
    assert first["thankyou_wishlists.productlist"] == 2
    assert erase_person(email=EMAIL, now=NOW + timedelta(days=1)) == {}
    assert dump() == before


def test_nobody_writes_to_the_person_again() -> None:
    """EM-6: the keyed hash stays, for ever, and says why; a bounce says more and stays."""
    made = make_person()
    erase_person(email=EMAIL, now=NOW)
    row = Suppression.objects.get(scope=Suppression.MARKETING)
    assert (row.email_key, row.reason, row.at) == (made.key, "erased", NOW)
    bob = make_person(email="bob@example.com", number="B")
    Suppression.objects.create(email_key=bob.key, scope=Suppression.MARKETING, reason="bounced")
    erase_person(email="bob@example.com")
    assert Suppression.objects.get(email_key=bob.key, scope=Suppression.MARKETING).reason == "bounced"


def test_planned_messages_are_stopped_and_sent_ones_are_numbers() -> None:
    """EM-12: planned, claimed and attempted ones do not go out; what was sent stays as a number."""
    make_person()
    erase_person(email=EMAIL, now=NOW)
    of_person = Message.objects.exclude(reason="inquiry-notice")
    assert sorted(of_person.values_list("state", "why_not")) == [
        ("failed", ""),
        ("sent", ""),
        *[("skipped", "")],
        *[("skipped", WhyNot.ERASED)] * 4,
    ]
    assert set(of_person.values_list("email", "email_key", "subject", "worker")) == {("", "", "", "")}
    # What was kept to be written, and never was, goes too.
    assert {str(context) for context in of_person.values_list("context", flat=True)} == {"{}"}


def test_a_worker_that_is_handing_it_over_writes_nothing_back() -> None:
    """EM-13: it may still say that the mail went out; neither text nor address nor another attempt comes back."""
    from thankyou_flows.mail import claiming, outbox

    made = make_person()
    Message.objects.exclude(state="sent").delete()
    Message.objects.update(state="planned", due_at=NOW, sent_at=None)
    for act in ("sent", "retry", "failed", "begin"):
        Message.objects.update(state="planned", due_at=NOW, email=EMAIL, email_key=made.key, worker="", why_not="")
        [message] = claiming.claim(worker="w", limit=5, now=NOW)
        texts = {"subject": f"Hi {MARKER}", "text": MARKER, "html": MARKER}
        if act != "begin":
            assert claiming.begin(message=message, ground="consent", now=NOW, **texts)
        erase_person(email=EMAIL, now=NOW)
        if act == "begin":
            assert not claiming.begin(message=message, ground="consent", now=NOW, **texts)
        elif act == "sent":
            claiming.record_sent(message=message, now=NOW)
        elif act == "retry":
            assert not claiming.retry(message=message, due_at=NOW, error=f"451 {EMAIL}")
        else:
            assert not claiming.record_failed(message=message, why=WhyNot.REFUSED, now=NOW, error=f"550 {EMAIL}")
        row = Message.objects.get()
        assert (row.state, row.why_not) == (("sent", "") if act == "sent" else ("skipped", WhyNot.ERASED)), act
        assert not outbox.requeue(message=row, now=NOW)
        assert tables_with(MARKER) == set(), act


@pytest.mark.teeth
def test_without_taking_it_away_the_worker_would_write_again() -> None:
    """The guard above is needed: a message that is only blanked is planned again, with an error about it."""
    from thankyou_flows.mail import claiming

    made = make_person()
    Message.objects.exclude(state="sent").delete()
    Message.objects.update(state="planned", due_at=NOW, email=EMAIL, email_key=made.key)
    [message] = claiming.claim(worker="w", limit=5, now=NOW)
    claiming.begin(message=message, ground="consent", now=NOW, subject="Hi", text="Hi", html="Hi")
    erase_person(email=EMAIL, now=NOW)
    Message.objects.update(state="attempting", worker="w")
    assert claiming.retry(message=message, due_at=NOW, error="451 later")
    assert Message.objects.get().state == "planned"


def test_a_confirmed_sign_up_leaves_a_proof_that_only_the_address_matches() -> None:
    """GDPR 7(1), 17(3)(e): the shop can still show what was agreed to, to somebody who comes with the address."""
    made = make_person()
    erase_person(email=EMAIL, now=NOW)
    [row] = Subscription.objects.all()
    assert (row.state, row.email, row.left_at, row.language) == ("left", "", NOW, "")
    assert row.email_key == f"{proof_key(made.key)}{row.pk}" and len(row.email_key) <= 80
    assert list(ConsentReceipt.objects.values_list("kind", "wording", "ip")) == [
        ("requested", "Yes please", ""),
        ("confirmed", "Yes please", ""),
    ]
    assert not ConfirmationLink.objects.exists()
    found = export_person(email=EMAIL)["data"]
    assert len(found["thankyou_flows.consentreceipt"]["rows"]) == 2


def test_joining_and_erasing_again_works() -> None:
    """A person who came back, and left again, has two proofs."""
    made = make_person()
    erase_person(email=EMAIL, now=NOW)
    shelf = Subscription.objects.get().mailing_list
    row = Subscription.objects.create(mailing_list=shelf, email=EMAIL, email_key=made.key, state="confirmed")
    ConsentReceipt.objects.create(subscription=row, kind="confirmed")
    erase_person(email=EMAIL, now=NOW)
    assert Subscription.objects.filter(email_key__startswith=proof_key(made.key)).count() == 2


def test_the_books_still_add_up() -> None:
    """EM-13: uses and orders stay without a name, and what is counted is what is there."""
    make_person(times=3)
    erase_person(email=EMAIL, now=NOW)
    assert (
        list(Redemption.objects.values_list("customer_key", "counts_customer", "counts_total"))
        == [("", False, True)] * 3
    )
    assert list(UsageCounter.objects.values_list("customer_key", "used")) == [("", 3)]
    assert list(OrderRecord.objects.values_list("customer_key", "state")) == [("", "paid")] * 3
    assert [drift for drift in verify() if drift.kind != "event_missing"] == []
    # A use that is given back later is not given back to the whole campaign twice.
    restore(order_ref="O-N0", because="cancelled", now=NOW)
    assert list(UsageCounter.objects.values_list("customer_key", "used")) == [("", 2)]
    assert [drift for drift in verify() if drift.kind != "event_missing"] == []


def test_coupons_stay_valid_for_whoever_has_the_code() -> None:
    """A coupon in hand is a promise: it is unbound, not taken back."""
    make_person()
    erase_person(email=EMAIL, now=NOW)
    assert set(Coupon.objects.values_list("state", "holder_key", "issue_key")) == {("available", "", None)}
    details = list(CouponEvent.objects.order_by("pk").values_list("detail", flat=True))
    assert {"repaired": 1} in details and {"answers": "erased"} in details


def test_who_joins_again_gets_no_second_coupon() -> None:
    """CO-10: of a coupon for a sign-up a keyed hash of the mailbox stays, and says once per person; nothing else does."""
    campaign = make_campaign(title="Welcome")
    shelf = MailingList.objects.create(slug="welcome", title="Welcome", incentive=campaign)
    facts = {"mailing_list": shelf, "email": EMAIL, "email_key": customer_key(EMAIL), "state": "confirmed"}
    row = Subscription.objects.create(**facts)
    ConsentReceipt.objects.create(subscription=row, kind="confirmed")
    coupon = incentives.give(subscription=row, base_url="https://shop.example", now=NOW)
    assert coupon is not None
    erase_person(email=EMAIL, now=NOW)
    coupon.refresh_from_db()
    assert coupon.holder_key == "" and mailbox_key(EMAIL) in str(coupon.issue_key)
    assert tables_with(mailbox_key(EMAIL)) == {Coupon._meta.db_table}
    assert tables_with(EMAIL) == tables_with(MARKER) == set()
    again = Subscription.objects.create(**facts)
    assert incentives.give(subscription=again, base_url="https://shop.example", now=NOW) is None
    assert Coupon.objects.count() == 1


def test_the_account_itself_stays() -> None:
    """The shop's accounts and orders are the shop's."""
    made = make_person()
    erase_person(email=EMAIL)
    assert get_user_model().objects.filter(pk=made.user.pk, email=EMAIL).exists()


def test_it_is_announced_once_it_is_true(django_capture_on_commit_callbacks: Any) -> None:
    """A shop and its other services hear of it, after commit; a receiver that fails disturbs nobody."""
    heard: list[Any] = []

    def on_erased(person: Any, **_: Any) -> None:
        heard.append(("erased", person.emails[0], Contact.objects.count()))
        raise RuntimeError

    def on_left(email_key: str, scope: str, **_: Any) -> None:
        heard.append(("left", email_key, scope))

    made = make_person()
    person_erased.connect(on_erased)
    contact_left.connect(on_left)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            erase_person(email=EMAIL)
            assert heard == []
        assert sorted(heard) == [("erased", EMAIL, 0), ("left", made.key, "marketing")]
    finally:
        person_erased.disconnect(on_erased)
        contact_left.disconnect(on_left)


def test_it_is_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """One transaction: a failure in the last step leaves everything as it was."""
    make_person()
    before = dump()

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("thankyou_flows.privacy.erasing._suppress", broken)
    with pytest.raises(RuntimeError):
        erase_person(email=EMAIL)
    assert dump() == before
