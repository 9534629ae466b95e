"""The coupon for a confirmed sign-up: once per person, and only what is really there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from coupons.holders import customer_key
from coupons.models import Campaign, Coupon, Question
from tests.test_flows.newsletter_tools import in_threads, link_in, token_in
from thankyou_flows.blocks import NewsletterBlock
from thankyou_flows.flow import Flow
from thankyou_flows.mail import suppression
from thankyou_flows.models import ConsentReceipt, MailingList, Message, Subscription
from thankyou_flows.newsletter import confirm, incentives, subscribe


def incentive_mails() -> list[Any]:
    return [message for message in mail.outbox if "thank-you" in message.body]


@pytest.mark.django_db
def test_the_coupon_is_shown_and_mailed(client: Client, newsletter: MailingList, ask: Any, press: Any) -> None:
    """EM-1, EM-10: code, worth and terms after the button, for who has the link; and by mail. Looking gives nothing."""
    ask()
    url = link_in(mail.outbox[0])
    for _n in range(10):
        assert "Your thank-you" not in client.get(url).content.decode()
    assert not Coupon.objects.exists()
    done = press(mail.outbox[0])
    coupon = Coupon.objects.get()
    assert coupon.holder_key == customer_key("ann@example.com")
    for text in (coupon.display_code, "10% off", "Not on gift cards."):
        assert text in done
    assert coupon.display_code in client.get(url).content.decode()
    [letter] = incentive_mails()
    html = letter.alternatives[0][0]
    for text in (coupon.display_code, "10% off", "Not on gift cards.", "“Letters”"):
        assert text in letter.body
        assert text in html
    assert letter.to == ["ann@example.com"]
    assert letter.subject == "Thank you for signing up: 10% off"
    message = Message.objects.get(reason="incentive")
    assert (message.kind, message.coupon, message.mailing_list) == ("transactional", coupon, newsletter)


@pytest.mark.django_db
def test_the_end_is_said_in_full(newsletter: MailingList, campaign: Campaign, clock: Any, ask: Any, press: Any) -> None:
    """CD-2: a mail is read later than it is written, so it names the day."""
    Campaign.objects.update(deadline_minutes=60 * 24 * 3)
    ask()
    page = press(mail.outbox[0])
    assert "Valid until" in page
    assert "5 March" in incentive_mails()[0].body


@pytest.mark.django_db
@pytest.mark.parametrize("again", ["Ann@Example.com", "ann+second@example.com"])
def test_once_for_the_same_mailbox(newsletter: MailingList, clock: Any, ask: Any, press: Any, again: str) -> None:
    """A person with two spellings gets one coupon and one mail."""
    ask()
    press(mail.outbox[0])
    clock.shift(timedelta(minutes=5))
    Subscription.objects.filter(email_key=customer_key(again)).update(state="pending")
    ask(again)
    page = press(mail.outbox[-1])
    coupon = Coupon.objects.get()
    is_same = customer_key(again) == coupon.holder_key
    assert (coupon.display_code in page) is is_same
    assert len(incentive_mails()) == 1


@pytest.mark.django_db
def test_once_after_leaving_and_joining_again(newsletter: MailingList, clock: Any, ask: Any, press: Any) -> None:
    """Leaving and coming back brings the same coupon; used up, it is not shown any more."""
    ask()
    press(mail.outbox[0])
    for is_used in (False, True):
        Coupon.objects.update(used=int(is_used))
        suppression.leave(email_key=customer_key("ann@example.com"), mailing_list=newsletter)
        clock.shift(timedelta(minutes=5))
        ask()
        page = press(mail.outbox[-1])
        assert (Coupon.objects.get().display_code in page) is not is_used
    assert len(incentive_mails()) == 1


@pytest.mark.django_db
def test_once_over_two_lists(
    newsletter: MailingList, recipes: MailingList, campaign: Campaign, clock: Any, ask: Any, press: Any
) -> None:
    """Two lists that give the same give it once."""
    recipes.incentive = campaign
    recipes.save()
    for n, slug in enumerate(("newsletter", "recipes")):
        ask(list_slug=slug)
        assert Coupon.objects.count() == n
        assert "10% off" in press(mail.outbox[-1])
        assert Coupon.objects.count() == 1
        clock.shift(timedelta(minutes=5))
    assert len(incentive_mails()) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", [{"status": "paused"}, {"status": "draft"}, {"ends_at": "2026-01-01T00:00:00Z"}, None]
)
def test_what_is_not_running_is_not_promised(
    newsletter: MailingList, clock: Any, ask: Any, press: Any, change: dict[str, str] | None
) -> None:
    """Neither on the block, nor after the button; and the sign-up works all the same."""
    if change is None:
        MailingList.objects.update(incentive=None)
    else:
        Campaign.objects.update(**change)
    block = NewsletterBlock()
    value = block.to_python({"heading": "Letters", "button": "Go", "list_slug": "newsletter"})
    assert "10% off" not in block.get_wording(value)
    ask()
    page = press(mail.outbox[0])
    assert "Thank you, you are on the list" in page
    assert "Your thank-you" not in page
    assert not Coupon.objects.exists()
    assert not incentive_mails()


@pytest.mark.django_db
def test_a_running_one_stands_on_the_block(newsletter: MailingList) -> None:
    """EM-4: what is promised is part of what is kept."""
    block = NewsletterBlock()
    value = block.to_python({"heading": "Letters", "button": "Go", "list_slug": "newsletter"})
    assert "As a thank-you you get: 10% off." in block.get_wording(value).splitlines()
    assert "As a thank-you you get: 10% off." in block.render(value, {"flow": Flow(), "block_id": "b1"})


@pytest.mark.django_db
def test_a_campaign_with_questions(newsletter: MailingList, campaign: Campaign, ask: Any, press: Any) -> None:
    """CO-9: the coupon waits for its answers, and its code is not given away before; the link's token is masked."""
    campaign.questions = [Question(label="Tea?", field_type="singleline", purpose="To know.", sort_order=0)]
    campaign.save()
    ask()
    page = press(mail.outbox[0])
    coupon = Coupon.objects.get()
    assert coupon.state == Coupon.State.LOCKED
    assert "Open the questions" in page
    letter = incentive_mails()[0]
    for text in (page, letter.body, letter.alternatives[0][0]):
        assert coupon.display_code not in text
    assert link_in(letter) not in Message.objects.get(reason="incentive").text


@pytest.mark.django_db
def test_a_public_word(newsletter: MailingList, campaign: Campaign, ask: Any, press: Any) -> None:
    """CO-8: the word is everybody's, and mailed once to each."""
    campaign.code_type, campaign.word = Campaign.CodeType.WORD, "TEA10"
    campaign.save()
    for n in range(2):
        ask(f"person-{n}@example.com")
        assert "TEA10" in press(mail.outbox[-1])
    assert len(incentive_mails()) == 2


@pytest.mark.django_db
def test_a_coupon_that_fails_takes_nobody_off_the_list(
    newsletter: MailingList, ask: Any, press: Any, monkeypatch: Any, caplog: Any
) -> None:
    """EM-1: the yes is kept; the failure is logged, without the address."""

    def fail(**kwargs: Any) -> None:
        raise RuntimeError("no codes today")

    monkeypatch.setattr(incentives, "issue", fail)
    ask()
    assert "Thank you, you are on the list" in press(mail.outbox[0])
    assert "could not be given" in caplog.text
    assert "ann@example.com" not in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "why"), [({"state": "revoked"}, "coupon_over"), ({"used": 1}, "coupon_used")], ids=["revoked", "used"]
)
def test_a_late_mail_promises_nothing(newsletter: MailingList, change: Any, why: str) -> None:
    """EM-12: a coupon that was used or taken back before its mail went out is not mailed."""
    from django.utils import timezone

    from thankyou_flows.mail.composing import DoNotSend
    from thankyou_flows.newsletter.mails import compose_incentive

    subscription = Subscription.objects.create(
        mailing_list=newsletter, email="ann@example.com", email_key=customer_key("ann@example.com"), state="confirmed"
    )
    assert incentives.give(subscription=subscription, base_url="https://shop.example")
    Coupon.objects.update(**change)
    with pytest.raises(DoNotSend) as refusal:
        compose_incentive(message=Message.objects.get(), now=timezone.now())
    assert refusal.value.why == why


def confirm_at_once(lists: list[MailingList]) -> int:
    """Confirm sign-ups for all lists at the same instant; return how many coupons that gave."""
    tokens = []
    for mailing_list in lists:
        from thankyou_flows.models import ConfirmationAllowance

        ConfirmationAllowance.objects.all().delete()
        mail.outbox.clear()
        subscribe(email="ann@example.com", wording="w", list_slug=mailing_list.slug, base_url="https://shop.example")
        tokens.append(token_in(mail.outbox[0]))
    waiting = list(tokens)
    results = in_threads(len(tokens), lambda: confirm(token=waiting.pop(), base_url="https://shop.example").state)
    assert results == ["confirmed"] * len(tokens)
    return Coupon.objects.count()


@pytest.fixture
def lists(transactional_db: Any, campaign: Campaign) -> list[MailingList]:
    return [MailingList.objects.create(slug=f"l{n}", title=f"L{n}", incentive=campaign) for n in range(6)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_once_at_the_same_instant(lists: list[MailingList]) -> None:
    """Six lists confirmed at once give one coupon and one mail."""
    assert confirm_at_once(lists) == 1
    assert Message.objects.filter(reason="incentive").count() == 1
    assert ConsentReceipt.objects.filter(kind="confirmed").count() == 6


@pytest.mark.teeth
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_once_without_the_key(lists: list[MailingList], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the reason as a unique key, each list gives one."""
    issue = incentives.issue
    monkeypatch.setattr(incentives, "issue", lambda *, issue_key, **facts: issue(**facts))
    assert confirm_at_once(lists) > 1
