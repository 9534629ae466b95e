"""What the life of a coupon plans, moves and stops (EM-12)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from coupons.deadlines import extend
from coupons.holders import customer_key
from coupons.models import Campaign, Redemption
from coupons.revoking import revoke
from coupons.signals import coupon_redeemed, coupon_unlocked
from thankyou_flows.followups.stops import reconsider
from thankyou_flows.mail.composing import SendLater
from thankyou_flows.mail.sending import send_due
from thankyou_flows.models import Contact, Message, WhyNot

from .conftest import ANN, buy, give, make_campaign, make_follow_up, planned, whys
from .test_stops import sequence_message

pytestmark = pytest.mark.django_db


def test_a_coupon_plans_its_reminders_for_the_customer_of_its_order(clock: Any, committed: Any) -> None:
    """CD-5: counted from the giving, and back from the real end."""
    make_follow_up("coupon_unused", {"delay": 2})
    make_follow_up("coupon_expiring", {"delay": 3})
    make_follow_up("offer_ending", {"delay": 1, "delay_unit": "hours"})
    order = buy()
    with committed():
        coupon = give(make_campaign(deadline_minutes=10 * 24 * 60))
    unused, expiring = planned()
    assert (unused.reason, unused.due_at) == ("coupon_unused", timezone.now() + timedelta(days=2))
    assert (expiring.reason, expiring.due_at) == ("coupon_expiring", timezone.now() + timedelta(days=7))
    assert (expiring.happened_at, expiring.expires_at) == (coupon.ends_at, coupon.ends_at)
    assert {(m.ref, m.coupon_id, m.context["order"]) for m in (unused, expiring)} == {
        (str(coupon.pk), coupon.pk, order.number)
    }


def test_a_countdown_is_an_offer_and_no_expiry(clock: Any, committed: Any) -> None:
    """CD-1: an offer of up to a day has a trigger of its own; a reminder that would come before the offer is none."""
    make_follow_up("coupon_expiring", {"delay": 10, "delay_unit": "minutes"})
    make_follow_up("offer_ending", {"delay": 10, "delay_unit": "minutes"}, {"delay": 2, "delay_unit": "hours"})
    buy()
    with committed():
        give(make_campaign(deadline_minutes=60))
    assert [(m.reason, m.due_at) for m in planned()] == [("offer_ending", timezone.now() + timedelta(minutes=50))]


def test_more_time_moves_what_counts_back_from_the_end(clock: Any, committed: Any) -> None:
    """AX-2: the reminder comes before the deadline that counts, once."""
    make_follow_up("offer_ending", {"delay": 10, "delay_unit": "minutes"}, {"delay": 90, "delay_unit": "minutes"})
    buy()
    with committed():
        coupon = give(make_campaign(deadline_minutes=60))
    with committed():
        extend(coupon=coupon, seen_extensions=0)
    # The second one was too late for the first deadline, and is in time for this one.
    assert [m.due_at for m in planned()] == [timezone.now() + timedelta(minutes=n) for n in (30, 110)]
    assert {m.expires_at for m in planned()} == {timezone.now() + timedelta(minutes=120)}


def test_a_locked_coupon_is_reminded_of_once_it_is_unlocked(clock: Any, committed: Any) -> None:
    """CO-9: what cannot be used yet is not advertised."""
    make_follow_up("coupon_unused")
    make_follow_up("coupon_unlocked")
    buy()
    with committed():
        coupon = give(make_campaign(), locked=True)
    assert planned() == []
    coupon.state, coupon.unlocked_at = coupon.State.AVAILABLE, timezone.now()
    coupon.save()
    coupon_unlocked.send(sender=type(coupon), coupon=coupon, redemption=None)
    assert sorted(m.reason for m in planned()) == ["coupon_unlocked", "coupon_unused"]


def test_the_holder_of_a_coupon_is_found_by_key(clock: Any, committed: Any) -> None:
    """CO-10: a coupon that came with no order belongs to the contact with its key; nobody else is written to."""
    make_follow_up("coupon_unused")
    campaign = make_campaign()
    Contact.objects.create(email=ANN, email_key=customer_key(ANN), language="sl")
    with committed():
        give(campaign, number="unknown")
        give(campaign, number="unknown too", holder_key=customer_key("stranger@example.com"))
        give(campaign, number="nobody's", holder_key="")
    assert [(m.email, m.language) for m in planned()] == [(ANN, "sl")]


def test_a_used_coupon_stops_its_reminders_and_the_sequence_that_brought_it(clock: Any, committed: Any) -> None:
    """EM-12: at once; other customers' and other orders' mails go on."""
    sequence = make_follow_up("order_paid", {"delay": 1}, {"delay": 5})
    make_follow_up("coupon_unused")
    with committed():
        buy()
        buy("T-2000", email="bea@example.com")
        coupon = give(make_campaign())
    first = planned(follow_up=sequence, email=ANN)[0]
    Message.objects.filter(pk=first.pk).update(coupon=coupon, state=Message.State.SENT)
    coupon_redeemed.send(sender=type(coupon), coupon=coupon, redemption=None)
    used = WhyNot.COUPON_USED
    assert whys(planned(email=ANN)) == ["", used, used]
    assert whys(planned(ref="T-2000")) == ["", ""]


def test_a_word_that_somebody_else_used_stops_nothing(clock: Any, committed: Any) -> None:
    """CO-8: a public word is everybody's."""
    word = make_campaign(code_type=Campaign.CodeType.WORD, word="SPRING")
    make_follow_up("order_paid", {"delay": 1, "campaign": word}, {"delay": 5})
    with committed():
        buy()
        coupon = give(word)
    Message.objects.update(coupon=coupon)
    for key, expected in (("c:somebody", ["", ""]), (customer_key(ANN), [WhyNot.COUPON_USED] * 2)):
        use = Redemption(coupon=coupon, order_ref=key, customer_key=key)
        coupon_redeemed.send(sender=type(coupon), coupon=coupon, redemption=use)
        assert whys(planned()) == expected


def test_a_revoked_coupon_stops_its_reminders(clock: Any, committed: Any) -> None:
    """EM-12: at once."""
    make_follow_up("coupon_unused")
    make_follow_up("order_paid")
    with committed():
        buy()
        coupon = give(make_campaign())
    with committed():
        revoke(coupon=coupon, actor="test")
    assert sorted(whys()) == ["", WhyNot.COUPON_OVER]


def test_a_paused_campaign_of_a_mail_waits_until_tomorrow(clock: Any, mailoutbox: list[Any]) -> None:
    """EM-12: pausing is no end. Resumed, the mail goes out; never resumed, its own time ends it."""
    message = sequence_message()
    Campaign.objects.update(status="paused")
    clock.move_to(message.due_at)
    with pytest.raises(SendLater) as raised:
        reconsider(message, now=timezone.now())
    assert raised.value.until == timezone.now() + timedelta(days=1)
    send_due()
    message.refresh_from_db()
    assert (message.state, message.due_at) == ("planned", timezone.now() + timedelta(days=1))
    Campaign.objects.update(status="running")
    reconsider(message, now=timezone.now())
    Campaign.objects.update(status="paused")
    for _day in range(9):
        clock.shift(timedelta(days=1))
        send_due()
    message.refresh_from_db()
    assert (message.state, message.why_not) == ("skipped", "too_late")
