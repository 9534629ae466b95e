"""A campaign at a glance: its numbers, its course and its switches."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from djmoney.money import Money
from wagtail.models import ModelLogEntry

from coupons.admin import numbers
from coupons.admin import overview as screens
from coupons.exceptions import CouponBusy
from coupons.issuing import issue
from coupons.models import Campaign, Coupon, Redemption, UsageCounter
from coupons.redemption import redeem, release, reserve
from coupons.revoking import revoke
from tests.test_coupons.factories import NOW, make_campaign, make_facts

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("owner"))
    return client


def overview(campaign: Campaign) -> str:
    return reverse("thankyou_coupons_campaign:inspect", args=[campaign.pk])


def use(campaign: Campaign, order: str, *, paid: bool = True, now: datetime = NOW, currency: str = "EUR") -> Coupon:
    coupon = issue(campaign=campaign, now=now)
    reserve(code=coupon.code, order_ref=order, facts=make_facts(currency=currency), now=now)
    if paid:
        redeem(order_ref=order, now=now)
    return coupon


def test_the_numbers_are_those_of_this_campaign() -> None:
    """Each step of a coupon's life is counted once; another campaign's is not."""
    campaign = make_campaign(benefit="percent", percent=10)
    use(campaign, "paid 1")
    use(campaign, "paid 2", currency="CHF")
    use(campaign, "waiting", paid=False)
    use(campaign, "cancelled", paid=False)
    release(order_ref="cancelled", now=NOW)
    revoke(coupon=issue(campaign=campaign, now=NOW), actor="user 1", now=NOW)
    issue(campaign=campaign, locked=True, now=NOW)
    use(make_campaign(), "another")
    found = numbers.count(campaign=campaign)
    assert (found.issued, found.locked, found.revoked, found.unlocked) == (6, 1, 1, 0)
    assert (found.redeemed, found.reserved, found.released, found.restored) == (2, 1, 1, 0)
    assert found.live == 3
    assert {str(each.total.currency): (each.goods.amount, each.shipping.amount) for each in found.given} == {
        "EUR": (2, 0),
        "CHF": (2, 0),
    }
    assert found.given[1].total == Money(2, "EUR")


def test_an_empty_campaign_has_given_nothing() -> None:
    """No division, no missing sum."""
    assert numbers.count(campaign=make_campaign()) == numbers.Numbers()


@pytest.mark.parametrize(
    ("reserved", "redeemed", "late", "paid_late"),
    [
        (59, 59, 0, 0),
        (61, 61, 0, 0),
        (59, 90, 0, 1),
        (62, 62, 1, 0),
    ],
)
def test_a_use_after_the_end_would_be_seen(reserved: int, redeemed: int, late: int, paid_late: int) -> None:
    """CD-4: evidence that a deadline was true: the grace of 90 s counts as in time, and so does a late payment of what
    was reserved in time.
    """
    campaign = make_campaign(deadline_minutes=60)
    coupon = issue(campaign=campaign, now=NOW)
    Redemption.objects.create(
        coupon=coupon,
        order_ref="1",
        state="redeemed",
        reserved_at=NOW + timedelta(minutes=reserved),
        expires_at=NOW,
        redeemed_at=NOW + timedelta(minutes=redeemed),
    )
    found = numbers.count(campaign=campaign)
    assert (found.late, found.paid_late) == (late, paid_late)


def test_the_campaigns_own_end_counts_too() -> None:
    """CD-4: for coupons without a deadline of their own."""
    campaign = make_campaign(ends_at=NOW + timedelta(minutes=5))
    use(campaign, "1", now=NOW)
    Redemption.objects.update(reserved_at=NOW + timedelta(minutes=10), redeemed_at=NOW + timedelta(minutes=10))
    assert numbers.count(campaign=campaign).late == 1


def test_a_day_is_one_of_the_campaigns_zone() -> None:
    """CD-7: what happens at 23:30 in Kiritimati is not the next day's."""
    campaign = make_campaign(zone="Pacific/Kiritimati")
    evening = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
    use(campaign, "1", now=evening)
    use(campaign, "2", now=evening + timedelta(hours=1))
    course = numbers.course(campaign=campaign, days=30, now=evening + timedelta(hours=1))
    assert len(course.days) == 30
    assert [(day.date, day.issued, day.redeemed) for day in course.busy] == [
        (date(2026, 5, 5), 1, 1),
        (date(2026, 5, 4), 1, 1),
    ]


def test_the_whole_life_begins_with_the_first_coupon() -> None:
    """A long campaign is shown up to a year back."""
    campaign = make_campaign()
    issue(campaign=campaign, now=NOW - timedelta(days=100))
    assert len(numbers.course(campaign=campaign, days=0, now=NOW).days) == 101
    issue(campaign=campaign, now=NOW - timedelta(days=1000))
    assert len(numbers.course(campaign=campaign, days=0, now=NOW).days) == 101
    assert len(numbers.course(campaign=make_campaign(), days=0, now=NOW).days) == 1


def test_the_page_costs_the_same_for_any_number_of_coupons(
    owner: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    """Grouped by the database: 1 coupon and 20. One query is the menu's: how many questions are open."""
    campaign = make_campaign(limit_per_customer=None, total_limit=100)
    use(campaign, "0", now=timezone.now())
    owner.get(overview(campaign))
    with django_assert_max_num_queries(15) as before:
        owner.get(overview(campaign))
    for number in range(1, 20):
        use(campaign, str(number), now=timezone.now())
    with django_assert_num_queries(len(before)):
        page = owner.get(overview(campaign))
    assert page.context["numbers"].redeemed == 20
    assert page.context["uses_left"] == 80


def test_the_plot_is_also_a_table(owner: Client) -> None:
    """DESIGN D12: without scripts, and for who does not see it: the same figures; nothing inline."""
    campaign = make_campaign()
    now = timezone.now()
    use(campaign, "1", now=now)
    page = owner.get(overview(campaign), {"days": "90"}).content.decode()
    assert '<script id="ty-figures" type="application/json">' in page
    assert "chart.umd.min.js" in page
    assert "<caption" in page
    assert "style=" not in page[page.index("ty-numbers") : page.index("ty-rules")]
    for odd in ("-1", "9999999", "x", ""):
        assert owner.get(overview(campaign), {"days": odd}).status_code == 200


def test_chart_js_is_shipped_with_its_licence() -> None:
    """DESIGN D15: shipped, not linked; no source map that a manifest storage would look for."""
    path = finders.find("thankyou_coupons/vendor/chart.umd.min.js")
    assert path
    with open(path, encoding="utf-8") as script:
        text = script.read()
    assert "Chart.js v4" in text[:200]
    assert "sourceMappingURL" not in text
    assert finders.find("thankyou_coupons/vendor/chart.js-LICENSE.md")


def test_a_words_page_has_its_link(owner: Client) -> None:
    """CO-12: a link that only stages the word, to copy."""
    campaign = make_campaign(code_type="word", word="SPRINGTEA", limit_per_customer=1)
    page = owner.get(overview(campaign)).content.decode()
    assert "/?coupon=SPRINGTEA" in page


# Switches ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "to", "after"),
    [
        ("draft", "running", "running"),
        ("running", "paused", "paused"),
        ("paused", "running", "running"),
        ("running", "ended", "ended"),
        ("paused", "ended", "ended"),
        ("ended", "paused", "paused"),
        ("ended", "running", "ended"),
        ("draft", "ended", "draft"),
        ("running", "draft", "running"),
    ],
)
def test_a_campaign_is_switched_by_a_button(owner: Client, before: str, to: str, after: str) -> None:
    """A step that the page does not offer changes nothing; what was done stands in the history."""
    campaign = make_campaign(status=before)
    url = reverse("thankyou_coupons_campaign:switch", args=[campaign.pk, to])
    assert owner.get(url).status_code == 405
    assert owner.post(url).status_code == 302
    campaign.refresh_from_db()
    assert campaign.status == after
    history = owner.get(reverse("thankyou_coupons_campaign:history", args=[campaign.pk]))
    assert len(history.context["object_list"]) == (before != after)


def test_a_switch_saves_nothing_but_the_status(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a colleague saves at the same moment stays; the history says from what to what, and who (CO-11)."""
    campaign = make_campaign(code_type="word", word="SPRING", total_limit=5)
    save = Campaign.save

    def interrupted(self: Campaign, **kwargs: Any) -> None:
        Campaign.objects.filter(pk=self.pk).update(title="Renamed")
        save(self, **kwargs)

    monkeypatch.setattr(Campaign, "save", interrupted)
    owner.post(reverse("thankyou_coupons_campaign:switch", args=[campaign.pk, "paused"]))
    campaign.refresh_from_db()
    assert (campaign.status, campaign.title) == ("paused", "Renamed")
    entry = ModelLogEntry.objects.get(action="thankyou_coupons.switch_campaign")
    assert (entry.user, entry.data) == (User.objects.get(), {"before": "running", "after": "paused"})
    assert entry.message == "Status changed from “Running” to “Paused”"


def test_uses_that_could_not_be_counted_are_counted_later(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """CO-1: a busy database loses nothing that was saved, says so, and the page offers to go on."""
    campaign = make_campaign()
    use(campaign, "1")
    url = reverse("thankyou_coupons_campaign:recount", args=[campaign.pk])
    assert url not in owner.get(overview(campaign)).content.decode()
    Campaign.objects.update(total_limit=3)
    count = screens.recount

    def is_busy(**kwargs: Any) -> int:
        raise CouponBusy

    monkeypatch.setattr(screens, "recount", is_busy)
    page = owner.post(url, follow=True).content.decode()
    assert "not all uses so far are counted" in page
    assert url in page
    monkeypatch.setattr(screens, "recount", count)
    page = owner.post(url, follow=True).content.decode()
    assert "All uses so far are counted." in page
    assert url not in page
    assert UsageCounter.objects.get().used == 1
    assert owner.get(url).status_code == 405


def test_an_unknown_status_is_no_page(owner: Client) -> None:
    """Nothing from the address reaches the column."""
    url = reverse("thankyou_coupons_campaign:switch", args=[make_campaign().pk, "running"])
    assert owner.post(url.replace("running", "nonsense")).status_code == 404


def test_who_may_only_look_gets_no_buttons() -> None:
    """CM-4: and a raw POST changes nothing."""
    user = User.objects.create_user("looker")
    user.user_permissions.set(Permission.objects.filter(codename__in=["access_admin", "view_campaign"]))
    client = Client()
    client.force_login(user)
    campaign = make_campaign()
    page = client.get(overview(campaign))
    assert page.status_code == 200
    assert page.context["switches"] == []
    assert page.context["links"] == []
    client.post(reverse("thankyou_coupons_campaign:switch", args=[campaign.pk, "ended"]))
    campaign.refresh_from_db()
    assert campaign.status == "running"
