"""Mail the answers to customers' questions that the mail server did not take at first; meant for cron."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from ...inquiries import send_waiting


class Command(BaseCommand):
    help = (
        "Mail the answers to customers' questions that could not be sent when they were written. "
        "Safe to run at any time, and by two at once."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"sent={send_waiting()}")
