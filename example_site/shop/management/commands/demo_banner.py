"""Say where the demo is and how to get in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import reverse


class Command(BaseCommand):
    help = "Prints the addresses and logins of the demo."

    def handle(self, *args: Any, **options: Any) -> None:
        base = settings.SHOP_BASE_URL
        rows = [
            ("Shop", f"{base}/"),
            ("Admin", f"{base}{reverse('wagtailadmin_home')}   admin / admin   (or editor / editor)"),
            ("Account", f"{base}{reverse('shop:login')}   customer@example.com / customer"),
            ("Mail", f"{base}{reverse('demo:mailbox')}"),
            ("Bank", f"{base}{reverse('demo:bank')}"),
        ]
        self.stdout.write("")
        for name, address in rows:
            self.stdout.write(f"  {name:<8} {address}")
        self.stdout.write("")
