"""What becomes of answers: exported, erased, deleted when their time is over (CO-9, GDPR art. 15, 17, 20)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from coupons.answering import delete_outdated, erase, erase_customer, export_answers
from coupons.forms import build_unlock_form
from coupons.holders import customer_key, user_key
from coupons.merging import merge
from coupons.models import Answer, CouponEvent, Redemption
from coupons.unlocking import questions_for, unlock
from tests.test_coupons.asking import TRUSTING, make_answer, make_locked
from tests.test_coupons.factories import NOW

TEA = "which_tea_do_you_like_best"
pytestmark = pytest.mark.django_db


def test_export_has_every_fact_of_an_answer() -> None:
    """CO-9: whose, what, why, when, until when."""
    coupon = make_locked(title="Spring")
    make_answer(coupon, value=["Cups", "Pots"])
    head, row = export_answers(Answer.objects.order_by("pk"), now=NOW)
    assert head == ["customer", "question", "answer", "purpose", "campaign", "answered", "kept until"]
    assert row == [
        "c:ann",
        "Which tea do you like best?",
        "Cups, Pots",
        "So that we can suggest teas you will like.",
        "Spring",
        "2026-05-04T12:00:00+00:00",
        "2027-05-04T12:00:00+00:00",
    ]


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", '=HYPERLINK("https://x")'])
def test_no_cell_is_run_by_a_spreadsheet(evil: str) -> None:
    """CM-5: neither what customers typed nor what owners did."""
    coupon = make_locked(title=evil)
    make_answer(coupon, value=evil, label=evil, purpose=evil)
    _head, row = export_answers(Answer.objects.order_by("pk"), now=NOW)
    assert row[1:5] == [f"'{evil}"] * 4


def test_export_costs_one_query(django_assert_num_queries: Any) -> None:
    """DESIGN §6: for one answer and for twenty, also of campaigns that are gone."""
    for number in range(20):
        make_answer(make_locked(), f"question_{number}")
    Answer.objects.filter(question_name="question_3").update(campaign=None, coupon=None)
    with django_assert_num_queries(1):
        assert len(list(export_answers(Answer.objects.order_by("pk"), now=NOW))) == 21
    with django_assert_num_queries(1):
        assert len(list(export_answers(Answer.objects.filter(question_name="question_3"), now=NOW))) == 2


def test_export_leaves_out_what_should_be_gone() -> None:
    """CO-9: the promise does not wait for the nightly clean-up."""
    make_answer(make_locked(), delete_after=NOW)
    assert len(list(export_answers(Answer.objects.all(), now=NOW))) == 1


def test_erase_all_of_a_customer() -> None:
    """GDPR art. 17: each coupon's life says that it happened, and not what was erased (CO-11)."""
    coupon, other = make_locked(), make_locked(holder_key="c:bob")
    make_answer(coupon, value="A secret"), make_answer(coupon, "more"), make_answer(other)
    assert erase(holder_key="c:ann", actor="user 7", now=NOW) == 2
    assert [answer.holder_key for answer in Answer.objects.all()] == ["c:bob"]
    event = CouponEvent.objects.get(kind="changed")
    assert (event.coupon, event.actor, event.detail) == (coupon, "user 7", {"answers": "erased"})
    assert erase(holder_key="c:ann", now=NOW) == 0
    assert len(questions_for(coupon=coupon, now=NOW)) == 2


def test_an_address_leads_to_all_of_a_customers_answers(settings: Any) -> None:
    """GDPR art. 17: under the address, under the account that has proved it, and for a coupon that was used by it."""
    settings.THANKYOU_COUPONS = TRUSTING
    users = get_user_model().objects
    ada, eve = (users.create_user(name, email=f"{name}@example.com") for name in ("ada", "eve"))
    key = customer_key("ada@example.com")
    make_answer(make_locked(holder_key=key))
    make_answer(make_locked(holder_key=user_key(ada)))
    make_answer(make_locked(holder_key="session 7"), answered_at=NOW - timedelta(days=1))
    kept = {make_answer(make_locked(holder_key=each)) for each in (user_key(eve), customer_key("bob@example.com"))}
    for nobodys in (make_locked(holder_key=""), make_locked(holder_key=customer_key("kim@example.com"))):
        answer = make_answer(nobodys)
        order = {"order_ref": f"order {nobodys.pk}", "customer_key": key, "expires_at": NOW}
        Redemption.objects.create(coupon=nobodys, **order)
        if nobodys.holder_key:
            # Kim passed it on: these are Kim's answers.
            kept.add(answer)
    kept |= set(Answer.objects.of("session 7"))
    assert erase_customer(email=" ADA@example.com ", actor="user 7", now=NOW) == 3
    assert set(Answer.objects.all()) == kept
    assert erase_customer(email="") == erase_customer(email="nobody@example.com") == 0


def test_an_account_that_has_not_proved_its_address_is_left_alone() -> None:
    """CO-6: anybody can open an account with somebody else's address."""
    mallory = get_user_model().objects.create_user("mallory", email="ada@example.com")
    make_answer(make_locked(holder_key=user_key(mallory)))
    assert erase_customer(email="ada@example.com", now=NOW) == 0


def test_erase_some() -> None:
    """GDPR art. 17: also where campaign and coupon are gone."""
    coupon = make_locked()
    one, two = make_answer(coupon), make_answer(coupon, "more", coupon=None, campaign=None)
    assert erase(answers=Answer.objects.filter(pk=two.pk)) == 1
    assert Answer.objects.get() == one


@pytest.mark.parametrize("given", [{}, {"holder_key": ""}, {"holder_key": "c:ann", "answers": "all"}])
def test_erase_says_whose(given: dict[str, Any]) -> None:
    """An empty key must not mean everybody's."""
    if "answers" in given:
        given = {**given, "answers": Answer.objects.all()}
    make_answer(make_locked(holder_key=""))
    with pytest.raises(ValueError, match="either"):
        erase(**given)
    assert Answer.objects.count() == 1


def test_many_are_erased_in_chunks() -> None:
    """A database that takes 999 parameters will do."""
    coupon = make_locked()
    facts = {"label": "Q", "purpose": "P", "value": "V", "coupon": coupon, "delete_after": NOW}
    Answer.objects.bulk_create(Answer(holder_key="c:ann", question_name=f"q{n}", **facts) for n in range(2500))
    assert erase(holder_key="c:ann") == 2500


def test_what_is_outdated_is_deleted() -> None:
    """CO-9: when the customer was told, to the minute; the coupon stays."""
    coupon = unlock(coupon=make_locked(), answers={TEA: "Oolong"}, now=NOW)
    end = NOW + timedelta(days=365)
    assert delete_outdated(now=end - timedelta(seconds=1)) == 0
    assert delete_outdated(now=end) == 1
    coupon.refresh_from_db()
    assert coupon.state == "available"


def test_a_merge_takes_the_answers_along() -> None:
    """CO-9: who gets an account is not asked again."""
    unlock(coupon=make_locked(holder_key="o:1"), answers={TEA: "Oolong", "how_do_you_drink_it": "Pure"}, now=NOW)
    merge(from_key="o:1", to_key="u:7", now=NOW)
    assert questions_for(coupon=make_locked(holder_key="u:7"), now=NOW) == []


def test_the_form_asks_and_reads() -> None:
    """CO-9: the contract of ``build_unlock_form`` with whoever shows it elsewhere."""
    coupon = make_locked(marketing_text="Write to me.")
    form = build_unlock_form(coupon=coupon, prefix="b7", auto_id="x_%s")
    assert [field.html_name for field in form.questions] == [f"b7-{TEA}", "b7-how_do_you_drink_it"]
    assert form.marketing_box is not None and form.marketing_box.html_name == "b7-agree_to_marketing"
    assert (form.answers, form.agrees_to_marketing) == ({}, False)
    data = {f"b7-{TEA}": "Oolong", "b7-agree_to_marketing": "on", f"answer-{TEA}": "another form's"}
    sent = build_unlock_form(coupon=coupon, data=data, prefix="b7")
    assert sent.answers == {TEA: "Oolong", "how_do_you_drink_it": None}
    assert sent.agrees_to_marketing is True
    unlock(coupon=coupon, answers=sent.answers, now=NOW)
    assert Answer.objects.get().value == "Oolong"


def test_the_form_costs_two_queries(django_assert_num_queries: Any) -> None:
    """DESIGN §6: however many questions."""
    coupon = make_locked()
    with django_assert_num_queries(2):
        build_unlock_form(coupon=coupon)
