"""Public words: what can be one, how it may be typed, and its one coupon (CO-5, CO-8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.test import override_settings
from hypothesis import assume, given
from hypothesis import strategies as st

from coupons import codes
from coupons.exceptions import CampaignNotRunning, InvalidCode, TypingError
from coupons.issuing import issue, publish_word
from coupons.ledger import holding
from coupons.models import Campaign, Coupon, CouponEvent
from coupons.quoting import quote
from coupons.redemption import redeem, release, reserve
from coupons.revoking import revoke
from coupons.signals import coupon_issued
from tests.test_coupons.books import check_books
from tests.test_coupons.factories import NOW, make_campaign, make_coupon, make_facts

LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
TWINS = {"0": "0Oo", "O": "0Oo", "1": "1IiLl", "I": "1IiLl", "L": "1IiLl"}


def make_word(word: str = "SPRING10", **changes: Any) -> Campaign:
    return make_campaign(**{"code_type": "word", "word": word, "total_limit": 100, **changes})


def coupon_of(campaign: Campaign) -> Coupon:
    return Coupon.objects.get(campaign=campaign, is_word=True)


@st.composite
def typed_ways(draw: st.DrawFn) -> tuple[str, str]:
    """A word, and a way to type it: other case, twins of letters and digits, spaces, dashes, full width."""
    word = draw(st.text(LETTERS_AND_DIGITS, min_size=3, max_size=24))
    typed = ""
    for symbol in word:
        choices = TWINS.get(symbol, symbol + symbol.lower())
        each = draw(st.sampled_from(choices))
        wide = draw(st.booleans())
        typed += draw(st.sampled_from(["", "", " ", "-", "–", "\t"])) + (chr(ord(each) + 0xFEE0) if wide else each)
    return word, typed


@given(typed_ways())
def test_every_way_to_type_a_word_is_the_same_word(ways: tuple[str, str]) -> None:
    """CO-5, CO-8: case, spaces, dashes, O and 0, I, L and 1."""
    word, typed = ways
    assume(len(typed) <= codes.MAX_INPUT)
    try:
        key = codes.clean_word(word)
    except ValidationError:
        assume(False)
    assert codes.normalise(word) == codes.normalise(typed) == codes.clean_word(typed) == key


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("spring10", "SPR1NG10"),
        ("Hello", "HE110"),
        ("TEA", "TEA"),
        ("Tea-Time", "TEAT1ME"),
        ("GLOBETROTTER", "G10BETR0TTER"),  # as long as a code, without a digit
        ("SUMMERHOLIDAY2027", "SUMMERH011DAY2027"),
        ("X" * 24, "X" * 24),
    ],
)
def test_what_can_be_a_word(word: str, key: str) -> None:
    """CO-8: 3 to 24 letters and digits."""
    assert codes.clean_word(word) == codes.normalise(word) == key


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("", "letters from A to Z"),
        ("GRÜN", "letters from A to Z"),
        ("СПРИНГ", "letters from A to Z"),  # Cyrillic
        ("10%", "letters from A to Z"),
        ("A\u202eBC", "letters from A to Z"),
        ("AB", "3 to 24"),
        ("X" * 25, "3 to 24"),
        ("SUMMERTIME9", "11 to 13"),
        ("SUMMERTIME27", "11 to 13"),
        ("SUMMERTIME270", "11 to 13"),
    ],
)
def test_what_cannot_be_a_word_and_why(word: str, says: str) -> None:
    """CO-8: the owner is told what to do."""
    with pytest.raises(ValidationError) as caught:
        codes.clean_word(word)
    assert says in caught.value.messages[0]


@pytest.mark.parametrize("text", ["GRÜN", "10%", "AB", "X" * 25, "SUMMERTIME27", "7K3M-Q0ZT-9XW", "7K3M-Q0ZT-9XWBB"])
def test_what_can_be_neither_word_nor_code_costs_no_query(text: str) -> None:
    """CO-5, CO-7: answered before the database."""
    with pytest.raises(TypingError):
        codes.normalise(text)


def test_codes_of_other_systems() -> None:
    """CO-5: with ``FOREIGN_CODES`` a wrong check symbol proves nothing; what cannot be typed is still refused."""
    with override_settings(THANKYOU_COUPONS={"FOREIGN_CODES": True}):
        assert codes.normalise("summer-time-27") == "SUMMERT1ME27"
        with pytest.raises(TypingError):
            codes.normalise("10%")
        with pytest.raises(ValidationError):
            codes.clean_word("SUMMERTIME27")
    assert codes.display("ABC123") == "ABC123"
    assert codes.masked("ABC123") == "AB-****-****"


@pytest.mark.django_db
def test_a_word_is_one_coupon_for_everybody() -> None:
    """CO-8: made with its campaign, and used like any other coupon."""
    campaign = make_word(total_limit=2)
    coupon = coupon_of(campaign)
    assert (coupon.code, coupon.display_code, coupon.usage_limit) == ("SPR1NG10", "SPRING10", 2)
    assert issue(campaign=campaign, now=NOW) == issue(campaign=campaign, issue_key="order 1", now=NOW) == coupon
    for order in "12":
        reserve(code="spring-1o", order_ref=order, facts=make_facts(), now=NOW)
        redeem(order_ref=order, now=NOW)
    assert [refusal.error.reason for refusal in quote(codes=["SPRING10"], facts=make_facts(), now=NOW).refusals] == [
        "used_up"
    ]


@pytest.mark.django_db
def test_saving_the_campaign_again_changes_nothing(django_capture_on_commit_callbacks: Any) -> None:
    """CO-8, CO-11: one row, one event, one signal."""
    heard: list[Coupon] = []

    def listen(coupon: Coupon, **kwargs: Any) -> None:
        heard.append(coupon)

    coupon_issued.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            campaign = make_word()
            campaign.save()
            campaign.save()
    finally:
        coupon_issued.disconnect(listen)
    assert heard == [coupon_of(campaign)]
    assert [event.kind for event in CouponEvent.objects.all()] == ["issued"]


@pytest.mark.django_db
def test_a_new_word_and_a_new_limit_reach_the_coupon_and_its_trail() -> None:
    """CO-8, CO-11: with who did it."""
    campaign = make_word()
    campaign.word, campaign.total_limit, campaign.saved_by = "AUTUMN", None, "user 7"
    campaign.save()
    coupon = coupon_of(campaign)
    assert (coupon.code, coupon.usage_limit) == ("AUTUMN", None)
    event = CouponEvent.objects.get(coupon=coupon, kind="changed")
    assert event.actor == "user 7"
    assert event.detail == {
        "before": {"code": "SPR1NG10", "usage_limit": 100},
        "after": {"code": "AUTUMN", "usage_limit": None},
    }
    assert len(quote(codes=["SPRING10"], facts=make_facts(), now=NOW).refusals) == 1
    assert quote(codes=["autumn"], facts=make_facts(), now=NOW).refusals == ()


@pytest.mark.django_db
def test_a_limit_below_what_is_used_refuses_the_next_and_hurts_nobody() -> None:
    """CO-1, CO-8: the stored limit is never below the uses; when one comes back, the owner's limit still holds."""
    campaign = make_word(total_limit=5)
    for order in "123":
        reserve(code="SPRING10", order_ref=order, facts=make_facts(), now=NOW)
    campaign.total_limit = 1
    campaign.save()
    coupon = coupon_of(campaign)
    assert (coupon.used, coupon.usage_limit) == (3, 3)
    Coupon.objects.filter(pk=coupon.pk).update(used=2)
    assert len(quote(codes=["SPRING10"], facts=make_facts(), now=NOW).refusals) == 1


@pytest.mark.django_db
def test_a_lowered_limit_holds_for_checkouts_that_were_prepared_before(way: str) -> None:
    """CO-1, CO-8: what is stored stays at the uses there were; what comes back is not to be had again."""
    campaign = make_word(total_limit=5)
    for order in "1234":
        reserve(code="SPRING10", order_ref=order, facts=make_facts(), now=NOW)
    until = NOW + timedelta(minutes=30)
    prepared = [
        holding.prepare(["SPRING10"], order_ref=order, facts=make_facts(), now=NOW, until=until, actor="shop")
        for order in "5678"
    ]
    campaign.total_limit = 2
    campaign.save()
    for order in "123":
        release(order_ref=order, now=NOW)
    assert (coupon_of(campaign).used, coupon_of(campaign).usage_limit) == (1, 4)
    holding.hold(prepared[0])
    for checkout in prepared[1:]:
        with pytest.raises(InvalidCode, match="used_up"):
            holding.hold(checkout)
    # A paid order is never refused, and it is over the limit of now.
    [row] = redeem(order_ref="9", code="SPRING10", now=NOW)
    assert (row.over_limit, row.counts_coupon) == (True, False)
    assert coupon_of(campaign).used == 2
    check_books()


@pytest.mark.django_db
def test_an_unused_word_is_free_again_when_its_campaign_changes_to_single_codes() -> None:
    """CO-8: another campaign can have it."""
    campaign = make_word()
    campaign.code_type, campaign.word = "single", ""
    campaign.save()
    assert not Coupon.objects.exists()
    assert coupon_of(make_word("SPRlNG1O")).code == "SPR1NG10"


@pytest.mark.django_db
def test_a_used_word_is_kept_and_revoked() -> None:
    """CO-11: what orders have used is never deleted."""
    campaign = make_word()
    reserve(code="SPRING10", order_ref="1", facts=make_facts(), now=NOW)
    campaign.code_type, campaign.word = "single", ""
    campaign.save()
    campaign.save()
    coupon = coupon_of(campaign)
    assert coupon.state == Coupon.State.REVOKED
    assert coupon.events.filter(kind="revoked").count() == 1


@pytest.mark.django_db
def test_a_word_that_was_revoked_stays_revoked() -> None:
    """CO-8: saving the campaign is no way around it."""
    campaign = make_word()
    Coupon.objects.update(state=Coupon.State.REVOKED)
    campaign.save()
    assert coupon_of(campaign).state == Coupon.State.REVOKED


@pytest.mark.django_db
def test_a_new_word_for_a_revoked_one_is_given_to_nobody(django_assert_num_queries: Any) -> None:
    """CO-8: the owner sees why nobody gets it, also in a list without a query for each row."""
    campaign = make_word()
    assert campaign.status_label == "Running"
    revoke(coupon=coupon_of(campaign), actor="user 7", now=NOW)
    campaign.word = "AUTUMN"
    campaign.save()
    assert coupon_of(campaign).state == Coupon.State.REVOKED
    with pytest.raises(CampaignNotRunning) as caught:
        issue(campaign=campaign, now=NOW)
    assert caught.value.reason == "revoked"
    assert campaign.status_label == "Running (word revoked)"
    listed = Campaign.objects.annotate(has_revoked_word=Exists(Coupon.objects.filter(campaign=OuterRef("pk")))).get()
    with django_assert_num_queries(0):
        assert listed.status_label == "Running (word revoked)"
    campaign.status = "paused"
    assert campaign.status_label == "Paused"


@pytest.mark.django_db
def test_two_campaigns_cannot_have_one_word() -> None:
    """CO-5: the database decides, also between two spellings and between a word and a code."""
    make_word("HELLO")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_word("HEll0")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_word("TEA", pk=99_000)
        Campaign.objects.filter(pk=99_000).update(word="HELLO")
        publish_word(campaign=Campaign.objects.get(pk=99_000))


@pytest.mark.django_db
def test_a_word_is_given_out_only_while_its_campaign_runs() -> None:
    """CO-8: a word that does not work is not shown to anybody."""
    with pytest.raises(CampaignNotRunning):
        issue(campaign=make_word(status="draft"), now=NOW)
    with pytest.raises(CampaignNotRunning):
        issue(campaign=make_word("TEA", ends_at=NOW - timedelta(days=1)), now=NOW)


@pytest.mark.django_db
def test_a_campaign_made_past_every_signal_gets_its_coupon_when_it_is_asked_for() -> None:
    """CO-8: ``bulk_create`` sends no signals."""
    Campaign.objects.bulk_create([Campaign(title="x", status="running", code_type="word", word="TEA", total_limit=3)])
    campaign = Campaign.objects.get()
    assert issue(campaign=campaign, now=NOW) == coupon_of(campaign)
    assert publish_word(campaign=campaign) == coupon_of(campaign)


@pytest.mark.django_db
def test_fixtures_bring_their_own_coupon() -> None:
    """Rows that are loaded raw are left as they are."""
    campaign = make_word()
    data = serializers.serialize("json", [campaign, coupon_of(campaign)])
    Coupon.objects.all().delete()
    for each in serializers.deserialize("json", data):
        each.save()
    assert coupon_of(campaign).code == "SPR1NG10"


@pytest.mark.django_db
def test_saving_a_campaign_of_single_codes_costs_one_query_more(django_assert_num_queries: Any) -> None:
    """Reading is free: a new campaign asks nothing, a known one whether it had a word."""
    with django_assert_num_queries(1):
        campaign = make_campaign()
    with django_assert_num_queries(2):
        campaign.save()
    assert not make_coupon().is_word
