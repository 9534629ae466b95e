"""Say where the Oscar demo is and how to get in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import reverse


class Command(BaseCommand):
    help = "Prints the addresses and logins of the Oscar demo."

    def handle(self, *args: Any, **options: Any) -> None:
        base = settings.WAGTAILADMIN_BASE_URL
        rows = [
            ("Shop", f"{base}/"),
            ("Admin", f"{base}{reverse('wagtailadmin_home')}   admin / admin   (thank-you pages, campaigns)"),
            ("Oscar", f"{base}{reverse('dashboard:index')}   admin / admin   (orders, vouchers)"),
            ("Mail", f"kept in {settings.MAIL_FOLDER}"),
        ]
        self.stdout.write("")
        for name, address in rows:
            self.stdout.write(f"  {name:<8} {address}")
        self.stdout.write("")
