"""Writing a follow-up's mail when its time has come: today's facts, and its coupon once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.utils import timezone, translation

from coupons.holders import customer_key
from coupons.models import Coupon, CouponEvent
from coupons.models.questions import Question
from tests.test_followups.conftest import ANN, buy, give, make_campaign, make_follow_up, make_product
from tests.test_followups.mails import BODY, links_of_html, links_of_text, words, words_of_html
from thankyou_flows.followups import composing
from thankyou_flows.mail import composing as mail_composing
from thankyou_flows.mail.composing import DoNotSend, SendLater
from thankyou_flows.mail.samples import SAMPLES, sample_facts
from thankyou_flows.models import MailingList, Message, OrderLink, WhyNot
from thankyou_flows.stores.dummy import DummyStore

COUPON_BODY = [("text", {"text": "<p>Hello, {first_name}: {coupon_code}</p>"}), ("coupon", {"heading": "", "how": ""})]


@pytest.fixture(autouse=True)
def english(db: None) -> Any:
    with translation.override("en-gb"):
        yield


def make_message(follow_up: Any, *, step: int = 0, ref: str = "T-1001", **changes: Any) -> Message:
    """A message as planning writes it."""
    mail = follow_up.steps.all()[step]
    values = {
        "dedupe_key": f"{follow_up.pk}:{step}:{ref}:{changes.get('email', ANN)}",
        "kind": follow_up.kind,
        "composer": "follow_up",
        "email": ANN,
        "email_key": customer_key(changes.get("email", ANN)),
        "reason": follow_up.trigger,
        "ref": ref,
        "follow_up": follow_up,
        "step": mail,
        "mailing_list": follow_up.mailing_list,
        **changes,
    }
    return Message.objects.create(**values)


def compose(message: Message, **changes: Any) -> Any:
    """Write it as a worker does, who has read the row anew."""
    fresh = Message.objects.get(pk=message.pk)
    return composing.compose(message=fresh, now=changes.get("now", timezone.now()))


def why_not(message: Message) -> WhyNot:
    with pytest.raises(DoNotSend) as caught:
        compose(message)
    return caught.value.why


def test_a_mail_speaks_of_todays_facts() -> None:
    make_product("sku-0")
    buy(first_name="Ana")
    follow_up = make_follow_up("order_paid", {"subject": "Hello, {first_name}: {order_number}", "body": BODY})
    message = make_message(follow_up)
    mail = compose(message)
    assert mail.subject == "Hello, Ana: T-1001"
    assert "Sku-0" in mail.text
    assert words(mail.text) == words_of_html(mail.html)
    assert links_of_text(mail.text) == links_of_html(mail.html)
    assert mail.tags == (f"follow-up-{follow_up.pk}",)
    follow_up.steps.update(subject="Good day")
    assert compose(message).subject == "Good day"


def test_the_links_belong_to_the_message_and_are_kept_masked() -> None:
    """EM-5, TY-4."""
    buy()
    message = make_message(make_follow_up("order_paid", {"body": BODY}))
    letter = mail_composing.write(Message.objects.get(pk=message.pk), now=timezone.now())
    (url,) = [link for link in links_of_text(str(letter.email.body)) if "unsubscribe" in link]
    assert f"<{url}>" in letter.email.extra_headers["List-Unsubscribe"]
    token = url.rstrip("/").rpartition("/")[2]
    assert token not in letter.text + letter.html
    assert letter.subject == "Mail 0"


def test_a_button_of_an_order_mail_leads_to_its_page_by_a_link_of_its_own() -> None:
    """TY-4: made when the mail is written, and masked in what is kept."""
    buy()
    body = [("button", {"text": "Your order", "page": None, "url": ""})]
    mail = compose(make_message(make_follow_up("order_shipped", {"body": body}, kind="transactional")))
    (url,) = links_of_html(mail.html)
    token = url.rstrip("/").rpartition("/")[2]
    assert token in mail.secrets
    assert OrderLink.objects.get().number == "T-1001"
    elsewhere = [("button", {"text": "Tea", "page": None, "url": "/tea/"})]
    compose(make_message(make_follow_up("order_shipped", {"body": elsewhere}, kind="transactional")))
    assert OrderLink.objects.count() == 1


def test_the_coupon_is_issued_once_for_all_mails_of_a_follow_up() -> None:
    """The same code in every mail and at every attempt; another occasion, another code."""
    buy()
    buy("T-2002")
    campaign = make_campaign()
    step = {"body": COUPON_BODY, "campaign": campaign}
    follow_up = make_follow_up("order_paid", step, step)
    first, second = (make_message(follow_up, step=number) for number in (0, 1))
    codes = {compose(message).text.split("Your code: ")[1].split()[0] for message in (first, first, second)}
    coupon = Coupon.objects.get()
    assert codes == {coupon.display_code}
    assert coupon.holder_key == customer_key(ANN)
    assert CouponEvent.objects.filter(kind=CouponEvent.Kind.ISSUED).count() == 1
    assert set(Message.objects.values_list("coupon", flat=True)) == {coupon.pk}

    compose(make_message(follow_up, ref="T-2002"))
    compose(make_message(follow_up, email="bob@example.com"))
    assert Coupon.objects.count() == 3


def test_two_campaigns_of_one_follow_up_give_two_coupons() -> None:
    buy()
    steps = [{"body": COUPON_BODY, "campaign": make_campaign()} for _number in range(2)]
    follow_up = make_follow_up("order_paid", *steps)
    for number in range(2):
        compose(make_message(follow_up, step=number))
    assert Coupon.objects.count() == 2


def test_the_longest_reference_fits_into_the_key() -> None:
    campaign = make_campaign()
    follow_up = make_follow_up("download_delivered", {"body": COUPON_BODY, "campaign": campaign})
    compose(make_message(follow_up, ref="x" * 128, dedupe_key="long"))
    assert Coupon.objects.get().issue_key.startswith(f"follow-up:{follow_up.pk}:campaign:{campaign.pk}:")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"used": 1}, WhyNot.COUPON_USED),
        ({"state": "revoked"}, WhyNot.COUPON_OVER),
        ({"ends_at": timezone.now() - timedelta(days=1)}, WhyNot.COUPON_OVER),
    ],
    ids=["used", "revoked", "over"],
)
def test_a_coupon_that_is_used_or_over_stops_the_later_mails(change: dict[str, Any], why: WhyNot) -> None:
    """EM-12."""
    buy()
    step = {"body": COUPON_BODY, "campaign": make_campaign()}
    follow_up = make_follow_up("order_paid", step, step)
    compose(make_message(follow_up))
    Coupon.objects.update(**change)
    assert why_not(make_message(follow_up, step=1)) == why


@pytest.mark.parametrize("status", ["draft", "ended"])
def test_a_campaign_that_does_not_run_gives_nothing(status: str) -> None:
    buy()
    follow_up = make_follow_up("order_paid", {"body": COUPON_BODY, "campaign": make_campaign(status=status)})
    assert why_not(make_message(follow_up)) == WhyNot.COUPON_OVER
    assert not Coupon.objects.exists()


def test_a_paused_campaign_gives_nothing_before_tomorrow() -> None:
    """EM-12: it may run again."""
    buy()
    follow_up = make_follow_up("order_paid", {"body": COUPON_BODY, "campaign": make_campaign(status="paused")})
    with pytest.raises(SendLater):
        compose(make_message(follow_up))
    assert not Coupon.objects.exists()


def test_a_public_word_is_brought_as_it_is() -> None:
    buy()
    campaign = make_campaign(code_type="word", word="SPRING", total_limit=1)
    follow_up = make_follow_up("order_paid", {"body": COUPON_BODY, "campaign": campaign})
    assert "Your code: SPRING" in compose(make_message(follow_up)).text
    Coupon.objects.update(used=1)
    assert why_not(make_message(follow_up, ref="T-2")) == WhyNot.COUPON_OVER


@pytest.fixture
def own_engine(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A shop that takes coupons into its own discount engine."""
    published: list[str] = []
    monkeypatch.setattr(DummyStore, "has_own_discounts", True)
    monkeypatch.setattr(DummyStore, "publish_coupon", lambda self, *, coupon: published.append(coupon.code))
    return published


def test_a_shop_with_its_own_engine_knows_the_coupon_before_the_mail_says_it(own_engine: list[str]) -> None:
    buy()
    follow_up = make_follow_up("order_paid", {"body": COUPON_BODY, "campaign": make_campaign()})
    message = make_message(follow_up)
    compose(message)
    compose(message)
    assert own_engine == [Coupon.objects.get().code]


def test_a_shop_that_does_not_take_the_coupon_now_is_asked_again(
    own_engine: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late, not lost; and no code that the checkout does not know."""
    from thankyou_flows.mail import errors

    def refuse(self: Any, *, coupon: Coupon) -> None:
        raise RuntimeError("the engine is away")

    buy()
    message = make_message(make_follow_up("order_paid", {"body": COUPON_BODY, "campaign": make_campaign()}))
    with monkeypatch.context() as patch:
        patch.setattr(DummyStore, "publish_coupon", refuse)
        with pytest.raises(composing.ShopAway) as caught:
            compose(message)
    assert errors.judge_composing(caught.value).meaning == errors.Meaning.SOFT
    assert not Coupon.objects.exists()
    compose(message)
    assert own_engine == [Coupon.objects.get().code]


def test_a_mail_about_a_coupon_shows_that_one() -> None:
    buy()
    coupon = give(make_campaign())
    follow_up = make_follow_up("coupon_unused", {"body": COUPON_BODY})
    message = make_message(follow_up, ref=str(coupon.pk), coupon=coupon)
    assert coupon.display_code in compose(message).text
    assert Coupon.objects.count() == 1


@pytest.mark.parametrize(
    "body", [[], [("divider", {})], [("coupon", {"heading": "For you", "how": ""}), ("divider", {})]]
)
def test_a_mail_that_has_nothing_to_say_is_not_sent(body: Any) -> None:
    buy()
    assert why_not(make_message(make_follow_up("order_paid", {"body": body}))) == WhyNot.DONE


def test_a_mail_of_a_deleted_follow_up_is_not_written() -> None:
    buy()
    follow_up = make_follow_up("order_paid", {"body": BODY})
    messages = [make_message(follow_up), make_message(follow_up, ref="T-2")]
    follow_up.steps.all()[0].delete()
    assert why_not(messages[0]) == WhyNot.FOLLOW_UP_GONE
    follow_up.delete()
    assert why_not(messages[1]) == WhyNot.FOLLOW_UP_GONE


def test_times_are_told_in_the_customers_own_zone() -> None:
    """CD-6."""
    now = timezone.now()
    buy(time_zone="Asia/Kathmandu")
    campaign = make_campaign(deadline_minutes=60 * 24 * 3)
    message = make_message(make_follow_up("order_paid", {"body": COUPON_BODY, "campaign": campaign}))
    assert "(UTC+05:45)" in compose(message, now=now).text
    assert timezone.get_current_timezone_name() == timezone.get_default_timezone_name()


def test_a_newsletter_names_the_list() -> None:
    mailing_list = MailingList.objects.create(title="Tea letter", slug="tea", purpose="News", promise="At most monthly")
    follow_up = make_follow_up("sign_up_confirmed", {"body": BODY}, kind="newsletter", mailing_list=mailing_list)
    mail = compose(make_message(follow_up, ref="1", ground="consent"))
    assert "because you signed up for “Tea letter”" in " ".join(mail.text.split())


@pytest.mark.parametrize("count", [1, 20])
def test_a_mail_costs_the_same_whatever_the_number_of_lines(count: int, django_assert_num_queries: Any) -> None:
    for number in range(count):
        make_product(f"sku-{number}")
    buy(line_count=count)
    body = [*BODY, ("products", {"heading": "", "what": "bought", "count": 12})]
    message = make_message(make_follow_up("coupon_unlocked", {"body": body}))
    message = Message.objects.select_related("step__campaign", "follow_up", "mailing_list").get(pk=message.pk)
    composing.compose(message=message, now=timezone.now())
    with django_assert_num_queries(1):
        composing.compose(message=message, now=timezone.now())


@pytest.mark.parametrize("mode", list(SAMPLES))
def test_a_preview_issues_no_coupon_and_writes_nothing(mode: str) -> None:
    """CM: the sample is a coupon of the step's own campaign."""
    campaign = make_campaign(benefit="percent", percent=15, deadline_minutes=60)
    step = make_follow_up("order_paid", {"body": COUPON_BODY, "campaign": campaign}).steps.get()
    mail = composing.render_step(step, facts=sample_facts(mode), kind="follow_up")
    assert "15% off" in mail.text
    assert "PREV-1EW0-0000" in mail.text
    assert not Coupon.objects.exists()
    assert not Message.objects.exists()
    assert not OrderLink.objects.exists()
    assert BeautifulSoup(mail.html, "html.parser").select_one(".ticket")


def test_a_preview_shows_a_word_and_a_locked_coupon_as_they_are() -> None:
    word = make_campaign(code_type="word", word="SPRING")
    locked = make_campaign(title="Locked")
    Question.objects.create(campaign=locked, label="Your colour?", field_type="singleline")
    texts = []
    for campaign in (word, locked):
        step = make_follow_up("order_paid", {"body": COUPON_BODY, "campaign": campaign}).steps.get()
        texts.append(composing.render_step(step, facts=sample_facts("first_order"), kind="follow_up").text)
    assert "Your code: SPRING" in texts[0]
    assert "Answer the questions:" in texts[1]
    assert "PREV" not in texts[1]


def _compose_at_once(message_ids: list[int]) -> list[str]:
    def work(pk: int) -> str:
        try:
            with translation.override("en-gb"):
                message = Message.objects.get(pk=pk)
                letter = mail_composing.write(message, now=timezone.now())
                return str(letter.email.body).split("Your code: ")[1].split()[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(message_ids)) as pool:
        return list(pool.map(work, message_ids))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_give_one_coupon() -> None:
    """Two mails of one follow-up that are due at the same moment bring the same code."""
    buy()
    step = {"body": COUPON_BODY, "campaign": make_campaign()}
    follow_up = make_follow_up("order_paid", *[step] * 4)
    codes = _compose_at_once([make_message(follow_up, step=number).pk for number in range(4)])
    assert len(codes) == 4
    assert len(set(codes)) == 1
    assert Coupon.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.teeth
@pytest.mark.django_db(transaction=True)
def test_two_workers_would_give_two_coupons_without_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing, "issue_key", lambda **_about: None)
    buy()
    step = {"body": COUPON_BODY, "campaign": make_campaign()}
    follow_up = make_follow_up("order_paid", *[step] * 2)
    _compose_at_once([make_message(follow_up, step=number).pk for number in range(2)])
    assert Coupon.objects.count() == 2
