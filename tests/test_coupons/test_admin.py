"""The owner's screens: campaigns, and coupons to look at."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from djmoney.money import Money

from coupons.admin.campaigns import CampaignDeleteView
from coupons.bulk import stop_batch
from coupons.issuing import issue
from coupons.models import Campaign, Coupon, CouponBatch, CouponEvent
from coupons.redemption import redeem, reserve
from tests.test_coupons.factories import make_campaign, make_facts

pytestmark = pytest.mark.django_db

LIST = "thankyou_coupons_campaign:index"
ADD = "thankyou_coupons_campaign:add"


def post_data(**changes: Any) -> dict[str, Any]:
    """Return what the form sends: a campaign that gives free shipping, unless changed."""
    return {
        "title": "Thanks",
        "status": "running",
        "benefit": "free_shipping",
        "percent": "",
        "amount_0": "",
        "amount_1": "EUR",
        "minimum_spend_0": "",
        "minimum_spend_1": "EUR",
        "code_type": "single",
        "audience": "everybody",
        "combinable": "on",
        "uses_per_coupon": "1",
        "give_back": "cancelled",
        "zone": "Europe/Berlin",
        "questions-TOTAL_FORMS": "0",
        "questions-INITIAL_FORMS": "0",
        "questions-MIN_NUM_FORMS": "0",
        "questions-MAX_NUM_FORMS": "1000",
        **changes,
    }


@pytest.fixture
def editor() -> Client:
    """An editor who may do everything with campaigns and look at coupons, and nothing else."""
    group = Group.objects.create(name="Coupons")
    group.permissions.set(
        Permission.objects.filter(content_type__app_label="thankyou_coupons")
        | Permission.objects.filter(codename="access_admin")
    )
    user = User.objects.create_user("editor")
    user.groups.add(group)
    client = Client()
    client.force_login(user)
    return client


def test_menu_entry(editor: Client) -> None:
    """The screens hang on one entry, "Campaigns"."""
    page = editor.get(reverse("wagtailadmin_home")).content.decode()
    assert "thankyou-campaigns" in page
    assert reverse(LIST) in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"benefit": "percent"}, "percent"),
        ({"benefit": "percent", "percent": "0"}, "percent"),
        ({"benefit": "percent", "percent": "100.01"}, "percent"),
        ({"benefit": "amount"}, "amount"),
        ({"benefit": "amount", "amount_0": "-1"}, "amount"),
        ({"benefit": "amount", "amount_0": "1.005"}, "amount"),
        ({"deadline_minutes": "0"}, "deadline_minutes"),
        ({"deadline_minutes": "-5"}, "deadline_minutes"),
        ({"deadline_minutes": "525601"}, "deadline_minutes"),
        ({"deadline_minutes": "99999999999999999999"}, "deadline_minutes"),
        ({"benefit": "percent", "percent": "33.333"}, "percent"),
        ({"benefit": "percent", "percent": "ten"}, "percent"),
        ({"benefit": "amount", "amount_0": "1e30"}, "amount"),
        ({"benefit": "nothing"}, "benefit"),
        ({"starts_at": "soon", "ends_at": "2026-05-01 08:00"}, "starts_at"),
        ({"uses_per_coupon": "0"}, "uses_per_coupon"),
        ({"starts_at": "2026-05-02 08:00", "ends_at": "2026-05-01 08:00"}, "ends_at"),
    ],
)
def test_what_is_missing_is_said_beside_the_field(editor: Client, changes: dict[str, str], field: str) -> None:
    """Validation depends on the benefit; a field has one message, not two that contradict each other."""
    response = editor.post(reverse(ADD), post_data(**changes))
    assert response.status_code == 200
    errors = response.context["form"].errors
    assert list(errors) == [field]
    assert len(errors[field]) == 1, errors[field]
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        ({}, "Free shipping"),
        ({"benefit": "percent", "percent": "10"}, "10% off"),
        ({"benefit": "percent", "percent": "12.5", "deadline_minutes": "60"}, "12.5% off"),
        ({"benefit": "amount", "amount_0": "5"}, "€5.00 off"),
    ],
)
def test_making_a_campaign(editor: Client, changes: dict[str, str], headline: str) -> None:
    """The headline is in the customer's words."""
    response = editor.post(reverse(ADD), post_data(**changes))
    assert response.status_code == 302, response.context["form"].errors
    campaign = Campaign.objects.get()
    assert campaign.headline == headline
    edit = editor.get(reverse("thankyou_coupons_campaign:edit", args=[campaign.pk]))
    assert edit.status_code == 200
    if campaign.amount:
        assert 'value="5.00"' in edit.content.decode()


def test_the_longest_deadline_is_a_year(editor: Client) -> None:
    """The message says the limit in plain words."""
    response = editor.post(reverse(ADD), post_data(deadline_minutes="525601"))
    assert response.context["form"].errors["deadline_minutes"] == ["Enter at most 525600 minutes, which is one year."]
    assert editor.post(reverse(ADD), post_data(deadline_minutes="525600")).status_code == 302


def test_a_field_that_failed_is_not_read_as_a_broken_promise(editor: Client) -> None:
    """A percentage that cannot be read is no attempt to change what coupons promise."""
    campaign = make_campaign(benefit="percent", percent=10)
    issue(campaign=campaign)
    url = reverse("thankyou_coupons_campaign:edit", args=[campaign.pk])
    response = editor.post(url, post_data(benefit="percent", percent="33.333"))
    assert list(response.context["form"].errors) == ["percent"]


@pytest.mark.parametrize(
    ("dates", "label"),
    [
        ({}, "Running"),
        ({"ends_at": timedelta(days=1)}, "Running"),
        ({"ends_at": timedelta(days=-1)}, "Running (over)"),
        ({"starts_at": timedelta(days=1)}, "Running (not begun yet)"),
        ({"status": "ended", "ends_at": timedelta(days=-1)}, "Ended"),
    ],
)
def test_the_list_tells_the_status_as_it_is_now(editor: Client, dates: dict[str, Any], label: str) -> None:
    """A campaign that is switched on but past its end gives out nothing, and the list says so."""
    now = timezone.now()
    make_campaign(**{name: now + value if name != "status" else value for name, value in dates.items()})
    page = editor.get(reverse(LIST)).content.decode()
    cells = [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", page, re.DOTALL)]
    assert label in cells


def test_headline_by_locale() -> None:
    """Numbers and money as the customer writes them."""
    with translation.override("de"):
        assert Campaign(benefit="amount", amount=Money("5", "EUR")).headline.startswith("5,00\xa0€")
        assert Campaign(benefit="percent", percent=10).headline.startswith("10\xa0%")
    with translation.override("en"):
        assert Campaign(benefit="amount", amount=Money("500", "JPY")).headline == "¥500 off"


def make_busy_campaign() -> Campaign:
    campaign = make_campaign(uses_per_coupon=2)
    for order in range(3):
        coupon = issue(campaign=campaign)
        for use in range(2):
            reserve(code=coupon.code, order_ref=f"{order} {use}", facts=make_facts())
        redeem(order_ref=f"{order} 0")
    return campaign


def test_the_list_shows_the_numbers_at_the_same_cost_for_any_number(
    editor: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    """No query per row; the counts do not multiply each other."""
    make_busy_campaign()
    page = editor.get(reverse(LIST))
    [row] = page.context["object_list"]
    assert (row.issued_count, row.redeemed_count) == (3, 3)
    assert "Free shipping" in page.content.decode()
    assert reverse("thankyou_coupons_campaign:inspect", args=[row.pk]) in page.content.decode()
    with django_assert_max_num_queries(50) as before:
        editor.get(reverse(LIST))
    for _ in range(19):
        make_campaign()
    with django_assert_num_queries(len(before)):
        editor.get(reverse(LIST))


def test_a_promise_that_is_out_does_not_change(editor: Client) -> None:
    """What a coupon promises is kept; everything else of the campaign may change."""
    campaign = make_campaign(benefit="percent", percent=10)
    url = reverse("thankyou_coupons_campaign:edit", args=[campaign.pk])
    assert editor.post(url, post_data(benefit="percent", percent="20")).status_code == 302
    issue(campaign=Campaign.objects.get())
    refused = editor.post(url, post_data(benefit="percent", percent="5"))
    assert list(refused.context["form"].errors) == ["benefit"]
    assert editor.post(url, post_data(benefit="percent", percent="20.00", status="paused")).status_code == 302
    with pytest.raises(ValidationError):
        Campaign(pk=campaign.pk, title="x", benefit="free_shipping").clean()


def test_a_campaign_is_deleted_only_while_no_coupon_is_out(editor: Client) -> None:
    """Coupons and the shop's books outlive the wish to tidy up."""
    campaign = make_campaign()
    url = reverse("thankyou_coupons_campaign:delete", args=[campaign.pk])
    assert editor.get(url).status_code == 200
    issue(campaign=campaign)
    page = editor.post(url, follow=True)
    assert "already out" in page.content.decode()
    assert Campaign.objects.exists()
    Coupon.objects.all().delete()
    editor.post(url)
    assert not Campaign.objects.exists()


def test_what_nobody_has_yet_goes_with_its_campaign(editor: Client) -> None:
    """A word that no order has used, and a batch without codes; one that is being worked on is stopped first."""
    word = make_campaign(status="draft", code_type="word", word="SPRING", limit_per_customer=1)
    editor.post(reverse("thankyou_coupons_campaign:delete", args=[word.pk]))
    assert not Coupon.objects.exists()
    campaign = make_campaign()
    batch = CouponBatch.objects.create(campaign=campaign, quantity=1)
    url = reverse("thankyou_coupons_campaign:delete", args=[campaign.pk])
    assert "Codes are being made" in editor.post(url, follow=True).content.decode()
    stop_batch(batch=batch)
    assert editor.get(url).status_code == 200
    editor.post(url)
    assert not Campaign.objects.exists()
    assert not CouponBatch.objects.exists()


def test_a_word_that_was_used_stays(editor: Client) -> None:
    """The shop's books do."""
    word = make_campaign(code_type="word", word="SPRING", limit_per_customer=1)
    reserve(code="SPRING", order_ref="1", facts=make_facts(customer_key="c:ada"))
    url = reverse("thankyou_coupons_campaign:delete", args=[word.pk])
    assert "already out" in editor.post(url, follow=True).content.decode()
    assert Coupon.objects.get().is_word


def test_a_coupon_that_was_given_out_since_the_question(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the deletion: refused in words, and nothing is gone."""
    campaign = make_campaign()
    issue(campaign=campaign)
    batch = stop_batch(batch=CouponBatch.objects.create(campaign=campaign, quantity=1))
    looks = iter(["", "Coupons of “%(title)s” are already out."])
    monkeypatch.setattr(CampaignDeleteView, "_why_not", lambda self: next(looks))
    page = editor.post(reverse("thankyou_coupons_campaign:delete", args=[campaign.pk]), follow=True)
    assert "already out" in page.content.decode()
    assert Campaign.objects.get() == campaign
    assert CouponBatch.objects.get() == batch


def test_the_word_s_life_says_who_changed_it(editor: Client) -> None:
    """CO-11: the member of staff, from the first saving on."""
    data = post_data(code_type="word", word="SPRING", total_limit="5")
    assert editor.post(reverse(ADD), data).status_code == 302
    url = reverse("thankyou_coupons_campaign:edit", args=[Campaign.objects.get().pk])
    assert editor.post(url, {**data, "word": "SUMMER"}).status_code == 302
    actors = CouponEvent.objects.order_by("pk").values_list("kind", "actor")
    assert list(actors) == [(kind, f"user {User.objects.get().pk}") for kind in ("issued", "changed")]


@pytest.mark.parametrize("name", ["campaign", "coupon", "answer"])
def test_others_see_nothing(name: str) -> None:
    """Permissions by model: anonymous, and an editor of pages only."""
    url = reverse(f"thankyou_coupons_{name}:index")
    assert Client().get(url).status_code == 302
    user = User.objects.create_user("pages")
    user.user_permissions.add(Permission.objects.get(codename="access_admin"))
    client = Client()
    client.force_login(user)
    assert client.get(url).status_code == 302
    assert "thankyou-campaigns" not in client.get(reverse("wagtailadmin_home")).content.decode()
