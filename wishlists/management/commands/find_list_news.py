"""Find what happened to saved products, and tell it; meant for cron, as often as the shop likes."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...exceptions import NoCatalog
from ...models import CatalogEvent
from ...news.finding import find_news


class Command(BaseCommand):
    help = (
        "Look for price drops, products that are back in stock and products about to sell out on accounts' lists. "
        "Safe to run at any time, and by two at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="change nothing, and say what would be told")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run, verbose = options["dry_run"], options["verbosity"] > 1

        def say(event: CatalogEvent, items: int) -> None:
            self.stdout.write(f"{event.kind} {event.product_ref!r}: {_figures(event)} items={items}")

        try:
            found = find_news(dry_run=dry_run, on_event=say if dry_run or verbose else None)
        except NoCatalog as error:
            raise CommandError(str(error)) from error
        counts = " ".join(
            f"{kind}={found.events[kind]} {kind}_items={found.items[kind]}" for kind in CatalogEvent.Kind.values
        )
        self.stdout.write(
            f"{'would_tell' if dry_run else 'told'}: products={found.products} {counts} parked={found.parked}"
        )


def _figures(event: CatalogEvent) -> str:
    named = {"price": event.price, "before": event.price_before, "lowest": event.lowest_price, "left": event.left}
    return " ".join(f"{name}={value}" for name, value in named.items() if value is not None)
