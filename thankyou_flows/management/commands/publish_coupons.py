"""Bring coupons over to the discount engine of a shop that has one of its own; meant for cron."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q
from django.utils import timezone

from coupons.models import Campaign, Coupon

from ...stores import get_store


class Command(BaseCommand):
    help = (
        "Publish every coupon that can be used to the shop's own discount engine. Single ones are published as they are "
        "given out; codes that were made in bulk wait for this. Safe to repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--campaign", type=int, help="only coupons of this campaign (its primary key)")
        parser.add_argument("--batch", type=int, help="only coupons of this batch (its primary key)")

    def handle(self, *args: Any, **options: Any) -> None:
        store = get_store()
        if not store.has_own_discounts:
            raise CommandError("This shop has no discount engine of its own: its checkout asks for coupons itself.")
        now = timezone.now()
        coupons = Coupon.objects.available().filter(Q(ends_at=None) | Q(ends_at__gt=now))
        coupons = coupons.filter(Q(campaign__ends_at=None) | Q(campaign__ends_at__gt=now))
        coupons = coupons.exclude(campaign__status__in=[Campaign.Status.DRAFT, Campaign.Status.ENDED])
        for name in ("campaign", "batch"):
            if options[name] is not None:
                coupons = coupons.filter(**{name: options[name]})
        found = coupons.select_related("campaign").order_by("pk").iterator(chunk_size=2000)
        self.stdout.write(f"published={store.publish_coupons(coupons=found)}")
