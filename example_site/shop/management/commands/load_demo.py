"""Fill the example shop with people, goods, pages and campaigns."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from example_site.demo import loading, resetting


class Command(BaseCommand):
    help = "Loads the demo's data. Safe to repeat: what is there already stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reset", action="store_true", help="first delete all orders, pages, accounts and mail")

    def handle(self, *args: Any, reset: bool, **options: Any) -> None:
        if reset:
            resetting.reset()
        loading.load()
