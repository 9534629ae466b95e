"""Give back the uses of checkouts that were never paid; meant for cron, every few minutes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from ...redemption import release_expired


class Command(BaseCommand):
    help = "Give back the coupon uses that a checkout reserved and did not pay in time. Safe to run at any time."

    def handle(self, *args: Any, **options: Any) -> None:
        given_back = release_expired()
        self.stdout.write(f"given_back={given_back}")
