"""The demo's mail: two lists, two follow-ups that run and one that does not, and what they did in the last weeks."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from coupons.holders import customer_key
from coupons.models import Campaign
from thankyou_flows.admin.recipes import BY_KEY, build
from thankyou_flows.followups.composing import render_step
from thankyou_flows.followups.triggers import About, get_trigger
from thankyou_flows.mail.samples import sample_facts
from thankyou_flows.models import Contact, FollowUp, Ground, MailingList, Message, Suppression, WhyNot

from .campaigns import WELCOME

LISTS = (
    {
        "slug": "newsletter",
        "title": "A letter from the tea shelf",
        "purpose": "What has just arrived, and how to brew it.",
        "promise": "At most twice a month, and the address stays with us.",
    },
    {
        "slug": "recipes",
        "title": "Recipes of the season",
        "purpose": "One recipe with tea, and tips and offers for what you bought.",
        "promise": "Four times a year.",
        "covers_follow_ups": True,
    },
)
#: Recipe, and whether it is switched on.
FOLLOW_UPS = (("care", True), ("coupon_waiting", True), ("wish_list", False))
#: Mails of the past weeks that each follow-up that runs has planned.
PAST = 36
#: What became of them, again and again: a reason for not sending, or what happened afterwards.
FATES = (
    "",
    "converted",
    "",
    WhyNot.ORDERED_AGAIN,
    "",
    "",
    WhyNot.COUPON_USED,
    "unsubscribed",
    "",
    WhyNot.NO_CONSENT,
    "",
    "",
)


def load_letters() -> None:
    """Load them once. Nothing of it is sent: it is past, or waits for customers of the demo."""
    if MailingList.objects.exists():
        return
    for values in LISTS:
        MailingList.objects.create(**values)
    # Whoever signs up on the thank-you page gets two euros.
    MailingList.objects.filter(slug="newsletter").update(incentive=Campaign.objects.get(title=WELCOME))
    for key, is_on in FOLLOW_UPS:
        follow_up = build(BY_KEY[key])
        follow_up.is_on = is_on
        follow_up.switched_on_at = timezone.now() if is_on else None
        follow_up.save()
        if is_on:
            _write_past(follow_up, seed=len(key))


def _write_past(follow_up: FollowUp, *, seed: int) -> None:
    """Four weeks of a follow-up, with made-up customers. The same in every demo."""
    now = timezone.now()
    step = follow_up.steps.first()
    is_about_orders = get_trigger(follow_up.trigger).about == About.ORDER
    sample = "first_order" if is_about_orders else "coupon_unused"
    mail = render_step(step, facts=sample_facts(sample), kind=follow_up.kind, ground=Ground.SOFT_OPT_IN)
    rows = []
    for number in range(PAST):
        email = f"guest-{seed}-{number:02}@example.com"
        fate = FATES[(number * 5 + seed) % len(FATES)]
        due = now - timedelta(days=(number * 11 + seed) % 28 + 1, hours=number % 9)
        row = Message(
            dedupe_key=f"demo:{follow_up.pk}:{number}",
            kind=follow_up.kind,
            composer="follow_up",
            reason=follow_up.trigger,
            ref=f"KF-{9000 + number}" if is_about_orders else "",
            email=email,
            email_key=customer_key(email),
            language="en-gb",
            follow_up=follow_up,
            step=step,
            happened_at=due - step.delay_span,
            created_at=due - step.delay_span,
            due_at=due,
            settled_at=due,
            state=Message.State.SENT,
            subject=mail.subject,
            text=mail.text,
            html=mail.html,
        )
        if fate in WhyNot.values:
            row.state, row.why_not = Message.State.SKIPPED, fate
            row.subject = row.text = row.html = ""
        else:
            row.ground, row.attempts, row.sent_at = Ground.SOFT_OPT_IN, 1, due
            row.delivery, row.delivered_at = Message.Delivery.DELIVERED, due + timedelta(seconds=40)
            row.converted_at = due + timedelta(days=2) if fate == "converted" else None
            row.converted_order = f"KF-{9500 + number}" if fate == "converted" else ""
            row.left_at = due + timedelta(hours=3) if fate == "unsubscribed" else None
        rows.append(row)
        if row.left_at:
            Contact.objects.get_or_create(email_key=row.email_key, defaults={"email": email})
            Suppression.objects.get_or_create(
                email_key=row.email_key,
                scope=Suppression.FOLLOW_UPS,
                defaults={"reason": Suppression.Reason.OBJECTED, "at": row.left_at, "message_key": row.key},
            )
    Message.objects.bulk_create(rows)
