"""The page of one coupon, and the link to it (CO-6, CO-9, CO-12)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from coupons.holders import customer_key, user_key
from coupons.issuing import issue
from coupons.links import make_token, unlock_path
from coupons.models import Answer, Campaign, Coupon, Redemption
from coupons.redemption import redeem, reserve
from coupons.signals import marketing_agreed
from coupons.staging import proven
from coupons.unlocking import decline, unlock
from tests.test_coupons.asking import (
    TRUSTING,
    holder_of,
    locked,
    make_answer,
    make_question,
    make_user,
    page_of,
    text_of,
)
from tests.test_coupons.factories import make_campaign, make_facts

TEA, MILK = "which_tea_do_you_like_best", "how_do_you_drink_it"
pytestmark = pytest.mark.django_db


# The link ---------------------------------------------------------------------------------------------


def test_the_link_leaves_the_address_and_opens_the_page() -> None:
    """CO-9, CO-12: GET only notes the proof; nothing of the coupon changes."""
    coupon = locked()
    client = Client()
    response = client.get(unlock_path(coupon))
    assert (response.status_code, response["Location"]) == (302, page_of(coupon))
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    assert proven(client.session) == [coupon.code]
    page = client.get(page_of(coupon))
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"] and "private" in page["Cache-Control"]
    assert (page["Vary"], page["X-Robots-Tag"]) == ("Cookie", "noindex, nofollow")
    coupon.refresh_from_db()
    assert (coupon.state, coupon.declined_at) == ("locked", None)
    assert client.post(unlock_path(coupon)).status_code == 405


def test_the_token_is_long_enough_and_for_this_purpose_only() -> None:
    """CO-5: 128 bits and more; ASVS 9.2.2."""
    coupon = locked()
    signature = make_token(coupon).rpartition(".")[2]
    assert len(signature) * 6 >= 128
    other = signing.Signer(salt="something else", sep=".").sign(str(coupon.pk))
    assert Client().get(reverse("thankyou_coupons:unlock_link", args=[other])).status_code == 404
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[]):
        assert Client().get(f"/coupons/unlock/{make_token(coupon)[:-1]}/").status_code == 404


@pytest.mark.parametrize(
    "token", ["x", "1.x", ".", "1." + "A" * 43, "9" * 400, "%00", "%F0%9F%AB%96", "-1." + "A" * 43, "²." + "A" * 43]
)
def test_a_mangled_token_gets_the_page_for_everybody(token: str) -> None:
    """CO-6: never an error."""
    locked()
    response = Client().get(f"/coupons/unlock/{token}/")
    assert response.status_code == 404
    assert "no coupon to see here" in text_of(response)


# Who may see it ---------------------------------------------------------------------------------------


def test_strangers_get_one_and_the_same_page() -> None:
    """CO-6: byte for byte, with the same headers, for foreign, unknown, revoked, unlocked and impossible ones."""
    foreign, revoked, unlocked = locked(), locked(), locked()
    Coupon.objects.filter(pk=revoked.pk).update(state="revoked")
    unlock(coupon=unlocked, answers={TEA: "Oolong"})
    client = holder_of(locked())
    addresses = [page_of(foreign), page_of(revoked), page_of(unlocked), "/coupons/coupon/99999999/"]
    addresses += ["/coupons/coupon/0/", f"/coupons/coupon/{10**30}/", "/coupons/unlock/1.nonsense/"]
    answers = [client.get(address) for address in addresses]
    answers += [client.post(address, {"command": "answer"}) for address in addresses[:-1]]
    assert {response.status_code for response in answers} == {404}
    assert len({response.content for response in answers}) == 1
    headers = [{name: value for name, value in response.headers.items() if name != "Expires"} for response in answers]
    assert all(each == headers[0] for each in headers)  # "Expires" is the time of day
    foreign.refresh_from_db()
    assert foreign.state == "locked"


@pytest.mark.parametrize(
    ("settings", "opens"), [(TRUSTING, {"address", "account"}), ({}, {"account"})], ids=["verified", "unverified"]
)
def test_the_signed_in_holder(settings: dict[str, Any], opens: set[str]) -> None:
    """CO-6, CO-9: by account, and by an address that somebody has verified; never by one that was only typed."""
    user = make_user()
    coupons = {"address": customer_key(user.email), "account": user_key(user), "other": "u:0", "nobody": ""}
    client = Client()
    client.force_login(user)
    with override_settings(THANKYOU_COUPONS=settings):
        seen = {name for name, key in coupons.items() if client.get(page_of(locked(holder_key=key))).status_code == 200}
    assert seen == opens


def test_looking_costs_the_same_for_strangers(django_assert_max_num_queries: Any) -> None:
    """CO-6: one look for a foreign, an unknown coupon; nothing to measure."""
    coupon, client = locked(), Client()
    client.get("/coupons/coupon/99999999/")
    counts = []
    for address in (page_of(coupon), "/coupons/coupon/99999999/"):
        with django_assert_max_num_queries(6) as captured:
            client.get(address)
        counts.append([query["sql"].partition("WHERE")[0] for query in captured.captured_queries])
    assert counts[0] == counts[1]


# What it shows ----------------------------------------------------------------------------------------


def test_a_locked_coupon_shows_its_worth_and_hides_its_code() -> None:
    """CO-9: what it is worth, what is asked, and the conditions; nothing is chosen or ticked beforehand."""
    coupon = locked(
        benefit="percent", percent=10, terms="Once per customer.", marketing_text="Write to me.", ask_text="Hello <b>"
    )
    page = holder_of(coupon).get(page_of(coupon))
    text = text_of(page)
    for part in ("10% off", "Once per customer.", "Hello <b>", "Which tea do you like best?", "Write to me."):
        assert part in text
    html = page.content.decode()
    assert coupon.code not in html and coupon.display_code not in html
    assert re.findall(r"<input[^>]*checkbox[^>]*checked", html) == []
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son\w+=", html.split("<main")[1].split("</main>")[0])


def test_declining_is_as_easy_as_answering() -> None:
    """CO-9, GDPR art. 7: two buttons of one form with the same look, one press each."""
    coupon = locked()
    html = holder_of(coupon).get(page_of(coupon)).content.decode()
    buttons = re.findall(r'<button class="([^"]*)"\s+type="submit"\s+name="command"\s+value="(answer|decline)">', html)
    assert [value for _look, value in buttons] == ["answer", "decline"]
    assert len({look for look, _value in buttons}) == 1


# Answering --------------------------------------------------------------------------------------------


def test_answer_and_use_it() -> None:
    """CO-9: the way of most customers, up to the code and the button that uses it."""
    coupon = locked(deadline_minutes=60, terms="Once per customer.")
    client = holder_of(coupon)
    response = client.post(page_of(coupon), {"command": "answer", f"answer-{TEA}": "Oolong", f"answer-{MILK}": "Pure"})
    assert (response.status_code, response["Location"]) == (302, page_of(coupon))
    page = client.get(page_of(coupon))
    html = page.content.decode()
    assert coupon.display_code in html
    assert "Once per customer." in html
    coupon.refresh_from_db()
    end = coupon.ends_at
    assert end is not None
    assert f'<time datetime="{timezone.localtime(end).isoformat()[:16]}' in html
    assert re.search(r"Valid until .*\d\d:\d\d (today|tomorrow) \([A-Z]{3,4}\) \.", text_of(page))
    [form] = re.findall(rf'<form [^>]*action="{reverse("thankyou_coupons:apply")}".*?</form>', html, re.DOTALL)
    assert f'name="code" value="{coupon.display_code}"' in form
    assert 'method="post"' in form and "csrfmiddlewaretoken" in form


def test_what_is_missing_is_said_and_nothing_is_lost() -> None:
    """CO-9: 422 with the error beside the field; what was valid is kept, what was ticked stays ticked."""
    coupon = locked(marketing_text="Write to me.")
    client = holder_of(coupon)
    sent = {"command": "answer", f"answer-{MILK}": "Pure", "answer-agree_to_marketing": "on"}
    response = client.post(page_of(coupon), sent)
    html = response.content.decode()
    assert response.status_code == 422
    assert Answer.objects.get().value == "Pure"
    assert f'id="id_answer-{TEA}_error"' in html and f'href="#id_answer-{TEA}"' in html
    assert f"answer-{MILK}" not in html
    assert re.search(r"<input[^>]*agree_to_marketing[^>]*checked", html)
    assert "Please check:" in html.split("</title>")[0]
    client.post(page_of(coupon), {"command": "answer", f"answer-{TEA}": "Oolong"})
    coupon.refresh_from_db()
    assert coupon.state == "available"


def test_what_was_typed_wrongly_stays_in_its_field() -> None:
    """CO-9: nobody types twice."""
    campaign = make_campaign()
    make_question(campaign, "Cups a day?", field_type="number", required=False)
    coupon = issue(campaign=campaign)
    response = holder_of(coupon).post(page_of(coupon), {"command": "answer", "answer-cups_a_day": "about 3"})
    assert response.status_code == 422
    html = response.content.decode()
    assert 'value="about 3"' in html
    # It is there, and wrong: nothing is called missing.
    assert "Please look at the answers again: the places are marked." in text_of(response)
    assert "missing" not in html


def test_one_press_is_enough_where_everything_is_known() -> None:
    """CO-9: still a POST; looking unlocks nothing."""
    coupon = locked()
    for name in (TEA, MILK):
        make_answer(coupon, name, delete_after=timezone.now() + timedelta(days=1))
    client = holder_of(coupon)
    assert "One press, and it is yours." in text_of(client.get(page_of(coupon)))
    coupon.refresh_from_db()
    assert coupon.state == "locked"
    client.post(page_of(coupon), {"command": "answer"})
    coupon.refresh_from_db()
    assert coupon.state == "available"


def test_decline_and_change_ones_mind() -> None:
    """CO-9: what stood in the form is not kept; the way back is open."""
    coupon = locked()
    client = holder_of(coupon)
    assert client.post(page_of(coupon), {"command": "decline", f"answer-{TEA}": "Oolong"}).status_code == 302
    assert not Answer.objects.exists()
    page = client.get(page_of(coupon))
    assert "I have changed my mind" in text_of(page)
    assert 'value="decline"' not in page.content.decode()
    response = client.post(page_of(coupon), {"command": "answer"})
    assert response.status_code == 422 and '<details class="ty-again" open>' in response.content.decode()
    client.post(page_of(coupon), {"command": "answer", f"answer-{TEA}": "Oolong"})
    assert coupon.display_code in client.get(page_of(coupon)).content.decode()


def test_take_the_answers_back_and_keep_the_coupon() -> None:
    """CO-9, GDPR art. 7(3): as easy as giving them, also without an account."""
    coupon, other = locked(), locked()
    make_answer(other, "another", delete_after=timezone.now() + timedelta(days=1))
    client = holder_of(coupon)
    client.post(page_of(coupon), {"command": "answer", f"answer-{TEA}": "Oolong"})
    page = client.get(page_of(coupon))
    assert 'value="forget"' in page.content.decode()
    done = client.post(page_of(coupon), {"command": "forget"}, follow=True)
    assert "Your answers are deleted." in text_of(done)
    assert [answer.question_name for answer in Answer.objects.all()] == ["another"]
    assert coupon.display_code in done.content.decode()


def test_a_link_shows_no_personal_data() -> None:
    """TY-1: it may have been passed on. The account sees what it said."""
    user = make_user()
    coupon = locked(holder_key=user_key(user))
    unlock(coupon=coupon, answers={TEA: "A secret blend"})
    client = holder_of(coupon)
    page = text_of(client.get(page_of(coupon)))
    assert "Which tea do you like best?" in page and "A secret blend" not in page
    client.force_login(user)
    assert "A secret blend" in text_of(client.get(page_of(coupon)))


@pytest.mark.parametrize(
    ("settings", "email"), [(TRUSTING, "ann@example.com"), ({}, "")], ids=["verified", "unverified"]
)
def test_the_newsletter_gets_an_address_that_is_proved(
    settings: dict[str, Any], email: str, django_capture_on_commit_callbacks: Any
) -> None:
    """CO-9: else none, and the receiver asks for one."""
    user, heard = make_user(), []
    coupon = locked(holder_key=user_key(user), marketing_text="Write to me.")
    client = Client()
    client.force_login(user)

    def listen(**facts: Any) -> None:
        heard.append(facts)

    marketing_agreed.connect(listen)
    try:
        with override_settings(THANKYOU_COUPONS=settings), django_capture_on_commit_callbacks(execute=True):
            sent = {"command": "answer", f"answer-{TEA}": "Oolong", "answer-agree_to_marketing": "on"}
            client.post(page_of(coupon), sent)
    finally:
        marketing_agreed.disconnect(listen)
    [facts] = heard
    assert (facts["email"], facts["text"], facts["request"].user) == (email, "Write to me.", user)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"state": "revoked"}, "We had to take this coupon back."),
        ({"ends_at": timezone.now() - timedelta(days=1)}, "The time of this coupon is over."),
        ({"state": "available", "used": 1}, "This coupon has been used."),
    ],
    ids=["revoked", "over", "used"],
)
def test_the_holder_is_told_what_has_become_of_it(change: dict[str, Any], says: str) -> None:
    """CO-6: with proof the true reason; without a code, without a form, and answers are refused."""
    coupon = locked()
    client = holder_of(coupon)
    Coupon.objects.update(**change)
    response = client.post(page_of(coupon), {"command": "answer", f"answer-{TEA}": "Oolong"}, follow=True)
    assert says in text_of(response)
    assert coupon.display_code not in response.content.decode()
    assert f"answer-{TEA}" not in response.content.decode()
    assert not Answer.objects.exists()


def test_a_paused_campaign_rests() -> None:
    """CO-6: and its coupons come back with it."""
    coupon = locked()
    client = holder_of(coupon)
    Campaign.objects.update(status="paused")
    assert "resting at the moment" in text_of(client.get(page_of(coupon)))


def test_commands_need_the_token() -> None:
    """ASVS 3.5.1: Django's own, since the page is private anyway; and an unknown command changes nothing."""
    coupon = locked()
    client = holder_of(coupon, enforce_csrf_checks=True)
    assert client.post(page_of(coupon), {"command": "decline"}).status_code == 403
    assert holder_of(coupon).post(page_of(coupon), {"command": "give me"}).status_code == 302
    coupon.refresh_from_db()
    assert (coupon.state, coupon.declined_at) == ("locked", None)


def test_declined_coupons_say_so_first() -> None:
    """CO-9: the page is friendly to whoever comes back to it."""
    coupon = decline(coupon=locked())
    assert "That is fine" in text_of(holder_of(coupon).get(page_of(coupon)))


def test_a_use_that_waits_for_its_payment_is_not_called_used() -> None:
    """CO-2: it may come back, and once its time has run out the coupon is shown with its code again."""
    coupon = locked()
    client = holder_of(coupon)
    unlock(coupon=coupon, answers={TEA: "Oolong"})
    reserve(code=coupon.code, order_ref="1", facts=make_facts())
    assert "waits for its payment" in text_of(client.get(page_of(coupon)))
    Redemption.objects.update(expires_at=timezone.now())
    assert coupon.display_code in client.get(page_of(coupon)).content.decode()
    redeem(order_ref="1")
    assert "This coupon has been used." in text_of(client.get(page_of(coupon)))


def test_all_uses_of_the_campaign_are_taken() -> None:
    """CO-6: the true reason, for each coupon of a campaign with a limit in all."""
    campaign = make_campaign(total_limit=1)
    first, second = (issue(campaign=campaign) for _ in range(2))
    reserve(code=first.code, order_ref="1", facts=make_facts())
    redeem(order_ref="1")
    assert "for a limited number of orders" in text_of(holder_of(second).get(page_of(second)))
