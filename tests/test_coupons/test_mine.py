"""The page with all coupons of a signed-in customer, and their answers (CO-9, GDPR art. 15, 17, 20)."""

from __future__ import annotations

import csv
import io
import re
import sys
from datetime import timedelta
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core import checks
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from coupons import holders
from coupons.checks import check_callables
from coupons.holders import customer_key, keys_of, user_key, verified_email
from coupons.issuing import issue
from coupons.links import unlock_path
from coupons.models import Answer, Coupon
from coupons.unlocking import unlock
from tests.test_coupons.asking import TRUSTING, make_asking_campaign, make_locked, make_user
from tests.test_coupons.factories import make_campaign

TEA = "which_tea_do_you_like_best"
MINE, ANSWERS = "/coupons/", "/coupons/answers/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> Any:
    return make_user()


@pytest.fixture
def client(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(response: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())


def sections(response: Any) -> dict[str, str]:
    """Return the text of each part of the page under its heading."""
    parts = re.findall(r"<section.*?</section>", response.content.decode().split("</main>")[0], re.DOTALL)
    found = {}
    for part in parts:
        [heading] = re.findall(r"<h2[^>]*>(.*?)</h2>", part)
        found[unescape(heading)] = unescape(re.sub(r"<[^>]*>", " ", part))
    return found


# Coupons ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [MINE, ANSWERS])
@pytest.mark.parametrize("method", ["get", "post"])
def test_only_for_who_is_signed_in(address: str, method: str) -> None:
    """CO-6."""
    response = getattr(Client(), method)(address)
    assert response.status_code == 302
    assert response["Location"].startswith("/account/login/")


def test_an_empty_page_says_what_belongs_here(client: Client) -> None:
    """Nothing yet is no error; nothing is stored by looking."""
    response = client.get(MINE)
    assert "You have no coupons yet." in text_of(response)
    assert response["Cache-Control"].endswith("private") and response["X-Robots-Tag"] == "noindex, nofollow"


def test_coupons_in_three_groups(client: Client, user: Any) -> None:
    """CO-9: usable, waiting, over; nobody else's."""
    key, now = user_key(user), timezone.now()
    ready = issue(campaign=make_campaign(benefit="percent", percent=7), holder_key=key)
    waiting = issue(campaign=make_asking_campaign(benefit="percent", percent=8), holder_key=key)
    used = issue(campaign=make_campaign(benefit="percent", percent=9), holder_key=key)
    Coupon.objects.filter(pk=used.pk).update(used=1)
    foreign = issue(campaign=make_campaign(benefit="percent", percent=11), holder_key="u:0")
    bearer = issue(campaign=make_campaign(), holder_key="")
    response = client.get(MINE)
    parts = sections(response)
    assert list(parts) == ["Ready to use", "Waiting for your answers", "Used or over"]
    assert "7% off" in parts["Ready to use"] and ready.display_code in parts["Ready to use"]
    assert "8% off" in parts["Waiting for your answers"]
    assert "Answer 2 questions to unlock it" in " ".join(parts["Waiting for your answers"].split())
    assert "9% off" in parts["Used or over"]
    for coupon in (waiting, used, foreign, bearer):
        assert coupon.display_code not in response.content.decode()
    assert now - waiting.issued_at < timedelta(minutes=1)


def test_by_verified_address_and_by_account(client: Client, user: Any) -> None:
    """CO-6, CO-9: both kinds of keys; an address that nobody verified opens nothing."""
    campaign = make_campaign()
    by_address = issue(campaign=campaign, holder_key=customer_key(user.email))
    by_account = issue(campaign=campaign, holder_key=user_key(user))
    page = client.get(MINE).content.decode()
    assert by_account.display_code in page and by_address.display_code not in page
    with override_settings(THANKYOU_COUPONS=TRUSTING):
        page = client.get(MINE).content.decode()
    assert by_account.display_code in page and by_address.display_code in page


def queries_of(client: Client, django_assert_max_num_queries: Any) -> int:
    with django_assert_max_num_queries(30) as captured:
        assert client.get(MINE).status_code == 200
    return len(captured.captured_queries)


def test_as_many_queries_for_one_as_for_twenty(client: Client, user: Any, django_assert_max_num_queries: Any) -> None:
    """DESIGN §6: whatever the number of coupons, campaigns, questions and answers."""
    key, counts = user_key(user), []
    client.get(MINE)
    for many in (1, 19):
        for number in range(many):
            issue(campaign=make_asking_campaign(title=f"{many} {number}"), holder_key=key)
            issue(campaign=make_campaign(total_limit=100, limit_per_customer=3), holder_key=key)
            used = issue(campaign=make_campaign(), holder_key=key)
            Coupon.objects.filter(pk=used.pk).update(used=1)
            guests = issue(campaign=make_campaign(), holder_key=f"o:{many}-{number}")
            client.get(unlock_path(guests))
            facts = {"label": "Q", "purpose": "P", "value": "V", "delete_after": timezone.now() + timedelta(days=9)}
            Answer.objects.create(holder_key=key, question_name=f"q_{many}_{number}", **facts)
        counts.append(queries_of(client, django_assert_max_num_queries))
    assert counts[0] == counts[1] <= 10


# What a guest got -------------------------------------------------------------------------------------


def test_a_guests_coupons_move_by_a_press(client: Client, user: Any) -> None:
    """CO-9, CO-10: those that this browser has proved; looking moves nothing."""
    coupon = make_locked(holder_key="o:1001", now=timezone.now())
    unlock(coupon=coupon, answers={TEA: "Oolong"})
    client.get(unlock_path(coupon))
    page = client.get(MINE)
    assert "From before you logged in" in sections(page)
    assert coupon.display_code not in page.content.decode()
    done = client.post(MINE, follow=True)
    assert "Your coupons are in your account now." in text_of(done)
    assert coupon.display_code in sections(done)["Ready to use"]
    assert "Oolong" in sections(done)["Your answers"]
    coupon.refresh_from_db()
    assert coupon.holder_key == user_key(user)
    assert client.post(MINE)["Location"] == MINE


@pytest.mark.parametrize("key", [customer_key("victim@example.com"), "u:0", ""], ids=["address", "account", "nobody"])
def test_a_link_that_was_passed_on_takes_nothing_along(key: str, client: Client) -> None:
    """CO-6: what belongs to another customer's address or account stays there, and so does all else of theirs."""
    coupon, other = (issue(campaign=make_campaign(), holder_key=key) for _ in range(2))
    client.get(unlock_path(coupon))
    assert "From before you logged in" not in sections(client.get(MINE))
    client.post(MINE)
    assert {each.holder_key for each in Coupon.objects.filter(pk__in=[coupon.pk, other.pk])} == {key}


# Answers ----------------------------------------------------------------------------------------------


@pytest.fixture
def told(user: Any) -> list[Answer]:
    """Two answers of the customer's, one of somebody else's, and one that should be gone."""
    facts = {"purpose": "To know you.", "delete_after": timezone.now() + timedelta(days=9)}
    rows = [
        Answer(holder_key=user_key(user), question_name="one", label="One?", value="First", **facts),
        Answer(holder_key=user_key(user), question_name="two", label="Two?", value=["=A", "B"], **facts),
        Answer(holder_key="u:0", question_name="one", label="One?", value="Foreign", **facts),
        Answer(holder_key=user_key(user), question_name="old", label="Old?", value="Bygone", **facts),
    ]
    rows[3].delete_after = timezone.now()
    return Answer.objects.bulk_create(rows)


def test_see_what_one_has_told(client: Client, told: list[Answer]) -> None:
    """GDPR art. 15: what, why, until when."""
    part = sections(client.get(MINE))["Your answers"]
    for text in ("One?", "First", "=A, B", "To know you.", "Kept until"):
        assert text in part
    assert "Foreign" not in part and "Bygone" not in part


def test_take_it_along(client: Client, told: list[Answer]) -> None:
    """GDPR art. 20: as a file that a spreadsheet opens and does not run (CM-5)."""
    response = client.get(ANSWERS)
    assert response["Content-Disposition"] == 'attachment; filename="answers.csv"'
    assert "no-store" in response["Cache-Control"]
    rows = list(csv.reader(io.StringIO(b"".join(response).decode("utf-8-sig"))))
    assert [row[2] for row in rows] == ["answer", "First", "'=A, B"]


def test_delete_one_or_all(client: Client, told: list[Answer], user: Any) -> None:
    """GDPR art. 17: one's own only; coupons stay."""
    coupon = issue(campaign=make_campaign(), holder_key=user_key(user))
    one, two, foreign, _old = told
    for wrong in ("", "x", "-1", "²", "9" * 30, str(foreign.pk)):
        assert client.post(ANSWERS, {"answer": wrong})["Location"] == MINE
    assert Answer.objects.count() == 4
    done = client.post(ANSWERS, {"answer": str(one.pk)}, follow=True)
    assert "Deleted." in text_of(done) and "First" not in text_of(done) and "=A, B" in text_of(done)
    client.post(ANSWERS, {"answer": "all"})
    assert list(Answer.objects.all()) == [foreign]
    assert coupon.display_code in client.get(MINE).content.decode()


def test_forms_need_the_token(user: Any) -> None:
    """ASVS 3.5.1."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.post(MINE).status_code == client.post(ANSWERS, {"answer": "all"}).status_code == 403


# Whose address it is ----------------------------------------------------------------------------------


def test_without_allauth_no_address_is_verified(user: Any) -> None:
    """CO-6: the safe default."""
    assert verified_email(user) == ""
    assert keys_of(user) == (user_key(user),)
    assert keys_of(AnonymousUser()) == keys_of(None) == ()


@pytest.mark.parametrize(("rows", "found"), [(["new@example.com"], "new@example.com"), ([], "")])
def test_with_allauth_its_verified_address_counts(
    rows: list[str], found: str, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CO-6: the primary one first; never an unverified one."""
    asked: dict[str, Any] = {}

    class Addresses:
        def filter(self, **facts: Any) -> Addresses:
            asked.update(facts)
            return self

        def order_by(self, *names: str) -> Addresses:
            asked["order"] = names
            return self

        def first(self) -> Any:
            return SimpleNamespace(email=rows[0]) if rows else None

    module: Any = SimpleNamespace(EmailAddress=SimpleNamespace(objects=Addresses()))
    monkeypatch.setitem(sys.modules, "allauth.account.models", module)
    monkeypatch.setattr(holders.apps, "is_installed", lambda name: name == "allauth.account")
    monkeypatch.setattr(holders, "import_module", lambda name: sys.modules[name])
    assert verified_email(user) == found
    assert asked == {"user_id": user.pk, "verified": True, "order": ("-primary", "pk")}


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({}, ""),
        (TRUSTING, ""),
        ({"VERIFIED_EMAIL": "shop.accounts.nobody"}, "cannot be loaded"),
        ({"VERIFIED_EMAIL": "coupons.holders.CUSTOMER_PREFIX"}, "cannot be called"),
        ({"VERIFIED_EMAIL": ""}, "cannot be loaded"),
        ({"VERIFIED_EMAIL": 7}, ""),
        ([], ""),
    ],
)
def test_a_wrong_path_is_named(setting: Any, says: str) -> None:
    """DESIGN D11: E004; what is no text, or no dict, has its message already."""
    with override_settings(THANKYOU_COUPONS=setting):
        found = check_callables()
    assert [message.id for message in found] == (["thankyou_coupons.E004"] if says else [])
    assert all(says in message.msg and message.hint for message in found)
    assert check_callables in checks.registry.registry.registered_checks


def test_the_addresses() -> None:
    """The names that a shop links to."""
    assert (reverse("thankyou_coupons:mine"), reverse("thankyou_coupons:answers")) == (MINE, ANSWERS)
