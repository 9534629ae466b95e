"""How coupons get into Oscar and out of it: by news, in bulk, through the dashboard's eyes; and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from djmoney.money import Money

from coupons import revoking, unlocking
from coupons.asking import questions_for
from coupons.bulk import order_batch, work_batch
from coupons.deadlines import extend
from coupons.issuing import issue
from coupons.models import Campaign, Coupon, Question
from thankyou_flows.stores.oscar.checks import check_campaigns
from thankyou_flows.stores.oscar.vouchers import FAR_FUTURE, unpublish

from .conftest import SHIPPING, model


@pytest.fixture
def capture(django_capture_on_commit_callbacks: Any) -> Callable[[], Any]:
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def make_campaign(shop: Any, capture: Callable[[], Any]) -> Callable[..., Campaign]:
    def make(**fields: Any) -> Campaign:
        fields = {"title": "C", "status": "running", "benefit": "percent", "percent": Decimal(10), **fields}
        with capture():
            return Campaign.objects.create(**fields)

    return make


def vouchers() -> dict[str, bool]:
    """Return whether each voucher can be used now, by its code."""
    return {voucher.code: voucher.is_active() for voucher in model("voucher.Voucher").objects.all()}


# By news ------------------------------------------------------------------------------------------


def test_whoever_gives_out_a_coupon_it_is_a_voucher(
    make_campaign: Callable[..., Campaign], capture: Callable[[], Any]
) -> None:
    with capture():
        coupon = issue(campaign=make_campaign())
    assert vouchers() == {coupon.display_code: True}


def test_a_locked_coupon_is_a_voucher_as_soon_as_it_is_unlocked(
    customer: Callable[..., Any], product: Any, make_campaign: Callable[..., Campaign], capture: Callable[[], Any]
) -> None:
    """CO-9; its deadline begins then."""
    campaign = make_campaign(deadline_minutes=60)
    Question.objects.create(campaign=campaign, label="What do you drink?", field_type="singleline", required=True)
    with capture():
        coupon = issue(campaign=campaign)
    assert coupon.state == Coupon.State.LOCKED
    assert vouchers() == {}
    [question] = questions_for(coupon=coupon)
    with capture():
        coupon = unlocking.unlock(coupon=coupon, answers={question.clean_name: "Tea"})
    voucher = model("voucher.Voucher").objects.get()
    assert voucher.end_datetime == coupon.ends_at + timedelta(seconds=90)
    order = customer().order(product, code=coupon.display_code)
    assert order.total_incl_tax == Decimal("18.00") + SHIPPING


def test_more_time_and_the_end_of_it(make_campaign: Callable[..., Campaign], capture: Callable[[], Any]) -> None:
    with capture():
        coupon = issue(campaign=make_campaign(deadline_minutes=60))
    with capture():
        coupon = extend(coupon=coupon, seen_extensions=0)
    assert model("voucher.Voucher").objects.get().end_datetime == coupon.ends_at + timedelta(seconds=90)
    with capture():
        revoking.revoke(coupon=coupon, actor="user 1")
    assert vouchers() == {coupon.display_code: False}


def test_a_word_follows_its_campaign(make_campaign: Callable[..., Campaign], capture: Callable[[], Any]) -> None:
    campaign = make_campaign(code_type="word", word="Spring", total_limit=10)
    assert vouchers() == {"SPRING": True}
    campaign.word = "Summer"
    with capture():
        campaign.save()
    assert vouchers() == {"SPRING": False, "SUMMER": True}
    campaign.code_type, campaign.word = Campaign.CodeType.SINGLE, ""
    with capture():
        campaign.save()
    assert vouchers() == {"SPRING": False, "SUMMER": False}


def test_a_campaign_with_many_codes_gets_another_end(
    make_campaign: Callable[..., Campaign], capture: Callable[[], Any]
) -> None:
    """Those that were taken back stay so, and a personal deadline is kept."""
    campaign = make_campaign()
    with capture():
        coupons = [issue(campaign=campaign) for _ in range(4)]
    personal, revoked, *others = coupons
    Coupon.objects.filter(pk=personal.pk).update(ends_at=timezone.now() + timedelta(days=2))
    with capture():
        revoking.revoke(coupon=revoked, actor="user 1")
    for days in (5, 1, None):
        campaign.ends_at = None if days is None else timezone.now() + timedelta(days=days)
        with capture():
            campaign.save()
        ends = dict(model("voucher.Voucher").objects.values_list("code", "end_datetime"))
        end = FAR_FUTURE if days is None else campaign.ends_at + timedelta(seconds=90)
        assert {ends[coupon.display_code] for coupon in others} == {end}
        personal.refresh_from_db()
        assert ends[personal.display_code] == min(end, personal.ends_at + timedelta(seconds=90))
        assert ends[revoked.display_code] < timezone.now()


# In bulk ------------------------------------------------------------------------------------------


def test_codes_in_bulk_are_brought_over_by_the_command(
    customer: Callable[..., Any], product: Any, make_campaign: Callable[..., Campaign]
) -> None:
    campaign, other = make_campaign(), make_campaign(title="Other")
    batch = work_batch(batch=order_batch(campaign=campaign, quantity=30))
    work_batch(batch=order_batch(campaign=other, quantity=2))
    out = StringIO()
    call_command("publish_coupons", batch=batch.pk, stdout=out)
    call_command("publish_coupons", stdout=out)
    call_command("publish_coupons", stdout=out)
    assert out.getvalue().split() == ["published=30", "published=2", "published=0"]
    assert len(vouchers()) == 32
    assert model("offer.ConditionalOffer").objects.count() == 2
    coupon = Coupon.objects.filter(batch=batch).latest("pk")
    order = customer().order(product, code=coupon.display_code)
    assert order.total_incl_tax == Decimal("18.00") + SHIPPING


def test_the_command_costs_the_same_for_every_thousand(make_campaign: Callable[..., Campaign]) -> None:
    campaign = make_campaign()
    counts = []
    for quantity in (1, 1, 200):
        batch = work_batch(batch=order_batch(campaign=campaign, quantity=quantity))
        with CaptureQueriesContext(connection) as queries:
            call_command("publish_coupons", batch=batch.pk, stdout=StringIO())
        counts.append(len(queries))
    # SQLite takes few rows in one statement.
    assert counts[2] <= counts[1] + 4


def test_a_shop_without_an_engine_has_nothing_to_publish(settings: Any, db: None) -> None:
    settings.THANKYOU_FLOWS = {"STORE": "tests.oscar.test_publishing.PlainStore"}
    with pytest.raises(CommandError, match="asks for coupons itself"):
        call_command("publish_coupons")


def __getattr__(name: str) -> Any:
    if name == "PlainStore":
        from thankyou_flows.stores.dummy import DummyStore

        return type(name, (DummyStore,), {"has_own_discounts": False})
    raise AttributeError(name)


# In the dashboard ---------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::django.core.paginator.UnorderedObjectListWarning")
def test_the_dashboard_says_what_a_campaign_gives(
    make_campaign: Callable[..., Campaign], capture: Callable[[], Any], django_user_model: Any
) -> None:
    campaign = make_campaign(title="<b>Spring</b>")
    with capture():
        issue(campaign=campaign)
    campaign.status = Campaign.Status.PAUSED
    with capture():
        campaign.save()
    boss = Client()
    user = django_user_model.objects.create_superuser("boss", "boss@example.com", "secret")
    boss.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    offer, voucher = model("offer.ConditionalOffer").objects.get(), model("voucher.Voucher").objects.get()
    for url in (
        reverse("dashboard:offer-list"),
        reverse("dashboard:offer-detail", args=[offer.pk]),
        reverse("dashboard:voucher-stats", args=[voucher.pk]),
        reverse("dashboard:offer-condition", args=[offer.pk]),
        reverse("dashboard:offer-benefit", args=[offer.pk]),
    ):
        response = boss.get(url, follow=True)
        html = response.content.decode()
        assert response.status_code == 200, url
        assert "<b>Spring</b>" not in html
        assert "Spring" in html or "10% off" in html, url
    assert offer.is_suspended
    assert boss.get(reverse("dashboard:voucher-list")).status_code == 200


def test_an_offer_that_was_bent_in_the_dashboard_is_put_right(
    make_campaign: Callable[..., Campaign], capture: Callable[[], Any]
) -> None:
    campaign = make_campaign()
    with capture():
        issue(campaign=campaign)
    offer = model("offer.ConditionalOffer").objects.get()
    everything = model("offer.Range").objects.create(name="Everything", includes_all_products=True)
    offer.benefit = model("offer.Benefit").objects.create(type="Percentage", value=90, range=everything)
    offer.save()
    with capture():
        issue(campaign=campaign)
    offer.refresh_from_db()
    assert offer.benefit.proxy_class.endswith("GoodsBenefit")


def test_before_the_package_is_uninstalled(
    customer: Callable[..., Any], product: Any, make_campaign: Callable[..., Campaign], capture: Callable[[], Any]
) -> None:
    """Afterwards nothing in Oscar's tables names a class of ours."""
    with capture():
        used, unused = (issue(campaign=make_campaign(title=title)) for title in ("A", "B"))
    order = customer().order(product, code=used.display_code)
    assert unpublish() == 2
    assert not model("offer.ConditionalOffer").objects.exists()
    for name in ("offer.Condition", "offer.Benefit"):
        assert not model(name).objects.exists()
    assert vouchers() == {used.display_code: False}
    assert order.discounts.get().voucher_code == used.display_code


def test_an_amount_that_nobody_can_use_is_named_by_a_check(
    make_campaign: Callable[..., Campaign], product: Any
) -> None:
    make_campaign(title="Yen", benefit="amount", amount=Money("500", "JPY"))
    make_campaign(title="Euro", benefit="amount", amount=Money("5", "EUR"))
    [message] = check_campaigns(None, databases=["default"])
    assert message.id == "thankyou_flows.W107"
    assert "Yen" in message.msg
    product.stockrecords.update(price_currency="JPY")
    assert check_campaigns(None, databases=["default"]) == []


# Cost ---------------------------------------------------------------------------------------------


def test_a_coupon_costs_the_same_for_any_number_of_lines(
    customer: Callable[..., Any],
    make_product: Callable[..., Any],
    make_campaign: Callable[..., Campaign],
    capture: Callable[[], Any],
) -> None:
    """OP-7: at 1 and 20 lines, on top of what Oscar's own page costs."""
    product = make_product()
    campaign = make_campaign(categories_out=["999"], audience="first", countries=["SI"])
    with capture():
        coupon = issue(campaign=campaign)
    added = []
    for lines in (1, 20):
        ana = customer(f"ana{lines}@example.com")
        for number in range(lines):
            ana.add(product if number == 0 else make_product(title=f"T{number}"))
        counts = []
        for code in ("", coupon.display_code):
            if code:
                ana.type_code(code)
            ana.client.get(reverse("basket:summary"))
            with CaptureQueriesContext(connection) as queries:
                ana.client.get(reverse("basket:summary"))
            counts.append(len(queries))
        added.append(counts[1] - counts[0])
    assert added[0] == added[1] <= 12
