"""A person with rows in every model of the three apps, and a marker in everything that says something about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import override_settings
from djmoney.money import Money
from wagtail.models import ModelLogEntry

from coupons.holders import customer_key, user_key
from coupons.models import Answer, Coupon, CouponEvent, Redemption, UsageCounter
from tests.test_coupons.factories import make_campaign
from thankyou_flows.models import (
    ConfirmationAllowance,
    ConfirmationLink,
    ConsentReceipt,
    Contact,
    MailEvent,
    MailingList,
    Message,
    OrderLink,
    OrderRecord,
    OrderRecordLine,
    Subscription,
    Suppression,
)
from thankyou_flows.newsletter import mailbox_key
from wishlists import mails
from wishlists.inquiries import NO_PRODUCT
from wishlists.models import (
    CatalogEvent,
    GiftMark,
    Inquiry,
    ItemNews,
    ListItem,
    MergeReceipt,
    ProductList,
    Save,
)

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MARKER = "zqmarker"
EMAIL = f"{MARKER}.ann@example.com"
#: The account's address counts as proved.
PROVED = {"VERIFIED_EMAIL": "tests.test_coupons.asking.believe"}
#: Questions are mailed by the outbox, and somebody of the shop is told of each.
BY_OUTBOX = {"SEND_MAIL": "thankyou_flows.mail.outbox.send_by_outbox", "INQUIRY_NOTIFY": ("shop@shop.example",)}
#: Tables that are the shop's or the framework's, and named so in the docs: accounts, sessions, orders.
OUTSIDE = {"auth_user", "django_session"}


def make_person(*, times: int = 1, email: str = EMAIL, marker: str = MARKER, number: str = "N") -> Any:
    """Fill every personal model with rows of one person; ``times`` as many where there can be many."""
    user = get_user_model().objects.create_user(f"user-{number}", email, "pw")
    key, account = customer_key(email), user_key(user)
    shelf, _created = MailingList.objects.get_or_create(slug="letters", defaults={"title": "Letters"})
    made = SimpleNamespace(user=user, key=key, account=account, email=email)
    made.contact = Contact.objects.create(email_key=key, email=email, language="de", time_zone=f"Zone/{marker}")
    ConfirmationAllowance.objects.create(mailbox_key=mailbox_key(email), last_mail_at=NOW)
    Suppression.objects.create(email_key=key, scope="list:letters", reason="left")
    campaign = make_campaign(title=f"Campaign {number}", limit_per_customer=500, total_limit=500)
    UsageCounter.objects.create(campaign=campaign, customer_key=key, used=times, allowed=500)
    UsageCounter.objects.create(campaign=campaign, customer_key="", used=times, allowed=500)
    for count in range(times):
        name = f"{number}{count}"
        one = MailingList.objects.create(slug=f"list-{name}", title=f"List {name}")
        _signed_up(one, key=key, email=email, marker=marker, name=name, confirmed=True)
        one = MailingList.objects.create(slug=f"never-{name}", title=f"Never {name}")
        _signed_up(one, key=key, email=email, marker=marker, name=f"p{name}", confirmed=False)
        _mailed(shelf, key=key, email=email, marker=marker, name=name)
        _ordered(key=key, name=name)
        _given(campaign, key=key, account=account, marker=marker, name=name)
        _saved(user, marker=marker, name=name, email=email)
    return made


def _signed_up(shelf: MailingList, *, key: str, email: str, marker: str, name: str, confirmed: bool) -> None:
    state = "confirmed" if confirmed else "pending"
    row = Subscription.objects.create(mailing_list=shelf, email=email, email_key=key, state=state, language="de")
    asked = ConsentReceipt.objects.create(subscription=row, kind="requested", wording="Yes please", ip=f"ip {marker}")
    ConfirmationLink.objects.create(receipt=asked, email=email, token_hash=f"hash-{name}", expires_at=NOW)
    if confirmed:
        ConsentReceipt.objects.create(subscription=row, kind="confirmed", wording="Yes please", ip=f"ip {marker}")
        # As long as the tests' person is active.
        Subscription.objects.filter(pk=row.pk).update(confirmed_at=NOW, requested_at=NOW)


def _mailed(shelf: MailingList, *, key: str, email: str, marker: str, name: str) -> None:
    for state in Message.State.values:
        message = Message.objects.create(
            dedupe_key=f"{state}:{name}:{key}" if state == "sent" else f"{state}:{name}",
            kind="newsletter",
            state=state,
            composer="email" if state in {"skipped", "failed"} else "follow_up",
            context={"hello": marker, "deep": [{"er": marker}]},
            email=email,
            email_key=key,
            reason="signup",
            mailing_list=shelf,
            last_error=f"550 {marker}",
            subject=f"Hello {marker}",
            text=f"Dear {marker}",
            html=f"<p>{marker}</p>",
            provider_id=f"id {marker}",
        )
    MailEvent.objects.create(message=message, provider="test", event_id=f"e-{name}", kind="delivered", at=NOW)


def _ordered(*, key: str, name: str) -> None:
    record = OrderRecord.objects.create(
        number=f"O-{name}", state="paid", total=Money(5, "EUR"), customer_key=key, placed_at=NOW
    )
    OrderRecordLine.objects.create(order=record, product_ref="tea", quantity=1, total=Money(5, "EUR"))
    OrderLink.objects.create(number=f"O-{name}", token_hash=f"order-{name}", expires_at=NOW)


def _given(campaign: Any, *, key: str, account: str, marker: str, name: str) -> None:
    issue_key = f"incentive:{key}:{name}"
    coupon = Coupon.objects.create(campaign=campaign, holder_key=key, issue_key=issue_key, used=1)
    Coupon.objects.create(campaign=campaign, holder_key=account, issue_key=f"registration:{account}:campaign:{name}")
    CouponEvent.objects.create(coupon=coupon, kind="changed", actor="user 1", detail={"note": marker, "repaired": 1})
    CouponEvent.objects.create(coupon=coupon, kind="revoked", actor="user 1", detail={"reason": marker})
    Redemption.objects.create(
        coupon=coupon,
        order_ref=f"O-{name}",
        state="redeemed",
        customer_key=key,
        reserved_at=NOW,
        redeemed_at=NOW,
        expires_at=NOW,
        counts_customer=True,
        counts_total=True,
    )
    for holder in (key, account, f"coupon:{coupon.pk}"):
        Answer.objects.create(
            holder_key=holder,
            question_name=f"tea-{name}",
            label="Which tea?",
            purpose="To suggest teas.",
            value=[marker],
            campaign=campaign,
            coupon=coupon,
            delete_after=NOW + timedelta(days=900),
        )


def _saved(user: Any, *, marker: str, name: str, email: str) -> None:
    shelf = ProductList.objects.create(
        owner=user, kind="wish", name=f"List {marker}", shown_name=marker, last_removed=[{"note": marker}]
    )
    item = ListItem.objects.create(list=shelf, product_ref="tea", note=f"For {marker}", price=Money(3, "EUR"))
    event = CatalogEvent.objects.create(kind="price_drop", product_ref="tea", told_at=NOW, at=NOW)
    ItemNews.objects.create(item=item, event=event)
    GiftMark.objects.create(list=shelf, product_ref="tea")
    facts = {"saved": [["tea", 1, marker, False]]}
    MergeReceipt.objects.create(owner=user, changes=facts, guest=facts, cookies={"c": marker}, left_out=facts)
    Save.objects.create(owner=user, product_ref=f"tea-{name}")
    inquiry = Inquiry.objects.create(
        email=email.upper(),
        name=marker,
        text=f"I am {marker}",
        answer=f"Dear {marker}",
        answered_at=NOW,
        products=[{**NO_PRODUCT, "title": marker}],
    )
    _told(inquiry)
    ModelLogEntry.objects.create(
        content_type=ContentType.objects.get_for_model(Contact),
        label=email,
        action="wagtail.edit",
        timestamp=NOW,
        object_id="1",
        uuid=None,
    )


def _told(inquiry: Inquiry) -> None:
    """The shop's people heard of the question, and the customer has the answer: both by the outbox."""
    with override_settings(THANKYOU_WISHLISTS={**settings.THANKYOU_WISHLISTS, **BY_OUTBOX}):
        assert mails.send_notice(inquiry) and mails.send_answer(inquiry)


def dump(*, without: set[str] = OUTSIDE) -> str:
    """Return every row of every table of the database as text, whosever table it is; each line begins with its table."""
    lines = []
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            if table in without:
                continue
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            lines += [f"{table}: {row!r}".lower() for row in cursor.fetchall()]
    return "\n".join(lines)


def tables_with(text: str, *, without: set[str] = OUTSIDE) -> set[str]:
    """Return the tables in which a text is found, in whatever case."""
    found = [line.partition(":")[0] for line in dump(without=without).splitlines() if text.lower() in line]
    return set(found)


def our_models() -> list[Any]:
    """Return every model of the three apps and of the optional pages, also those made for many-to-many relations."""
    configs = [each for each in apps.get_app_configs() if each.name.partition(".")[0] in OURS]
    return [model for config in configs for model in config.get_models(include_auto_created=True)]


OURS = {"coupons", "wishlists", "thankyou_flows"}
