"""Two weeks in the life of the demo's campaign that asks questions, for pictures; prints the pk of the coupon with most
to tell. Only ever run on a database that is thrown away: ``scripts/screenshots.py`` does.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Coupons given out on each day; so many of them are unlocked, and so many of those are used.
DAYS = [(4, 3, 0), (6, 4, 1), (5, 3, 2), (9, 7, 2), (7, 5, 3), (3, 2, 3), (2, 2, 1), (6, 4, 2), (8, 6, 3), (7, 6, 4),
        (10, 7, 3), (9, 7, 5), (4, 3, 2), (3, 2, 1)]  # fmt: skip
TEAS = ["Black", "Green", "Herbal", "A bit of everything"]


def main() -> None:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_site.settings")
    import django

    django.setup()
    live()


def live() -> None:
    """Give out, unlock and redeem, with the same functions as a shop."""
    from django.utils import timezone
    from djmoney.money import Money

    from coupons.facts import BasketFacts, BasketLine
    from coupons.holders import customer_key
    from coupons.issuing import issue
    from coupons.models import Campaign, Coupon
    from coupons.redemption import redeem, release, reserve_all
    from coupons.unlocking import decline, unlock
    from example_site.demo.campaigns import TASTE

    campaign = Campaign.objects.get(title=TASTE)
    facts = BasketFacts(
        lines=(BasketLine(ref="1", product_ref="1", quantity=2, unit_price=Money("12.40", "EUR")),),
        shipping=Money("4.90", "EUR"),
        currency="EUR",
    )
    waiting: list[Coupon] = []
    for number, (given, unlocked, used) in enumerate(DAYS):
        day = timezone.now() - timedelta(days=len(DAYS) - number, hours=3)
        for index in range(given):
            order = f"{1000 + 20 * number + index}"
            moment = day + timedelta(minutes=9 * index)
            coupon = issue(
                campaign=campaign,
                issue_key=f"order:{order}:campaign:{campaign.pk}",
                holder_key=customer_key(f"customer-{order}@example.com"),
                actor="shop",
                now=moment,
            )
            if index < unlocked:
                answers = {
                    "which_tea_do_you_drink_most": TEAS[(number + index) % len(TEAS)],
                    "how_do_you_make_it": ["In a pot"],
                }
                waiting.append(unlock(coupon=coupon, answers=answers, now=moment + timedelta(minutes=4)))
            elif index == unlocked:
                decline(coupon=coupon, now=moment + timedelta(minutes=1))
        for index in range(used):
            coupon = waiting.pop(0)
            order = f"{1400 + 20 * number + index}"
            moment = day + timedelta(hours=1, minutes=12 * index)
            reserve_all(codes=[coupon.code], order_ref=order, facts=facts, now=moment)
            if number % 3 == 1:
                # A card that was declined, and a second try.
                release(order_ref=order, now=moment + timedelta(minutes=1))
                reserve_all(codes=[coupon.code], order_ref=order, facts=facts, now=moment + timedelta(minutes=3))
            redeem(order_ref=order, now=moment + timedelta(minutes=4))
    talkative = Coupon.objects.filter(events__kind="released").order_by("-pk").first()
    assert talkative is not None  # noqa: S101 - some cards were declined above
    sys.stdout.write(f"{talkative.pk}\n")


if __name__ == "__main__":
    main()
