"""``python -m benchmarks.news_memory``: look for news of all saved products, and print time and peak memory as JSON.

Three looks: the first one, one at which nothing has changed, and one at which every product has become cheaper.
"""

from __future__ import annotations

import json
import re
import resource
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import django


def main() -> None:
    """Do it as the command does, in the database that is there already."""
    django.setup()
    from django.db.models import F
    from oscar.core.loading import get_model

    from wishlists.models import CatalogEvent, ItemNews, ListItem, ProductWatch
    from wishlists.news.finding import find_news

    from .measuring import statements, writes

    def look(name: str) -> dict[str, Any]:
        clock = perf_counter()
        with statements() as sent:
            found = find_news()
        sql = [statement for statement in sent if not statement.startswith(("SAVEPOINT", "RELEASE", "BEGIN"))]
        return {
            "name": name,
            "seconds": perf_counter() - clock,
            "queries": len(sql),
            "writes": writes(sql),
            "products": found.products,
            "told": sum(found.items.values()),
        }

    for model in (CatalogEvent, ProductWatch):
        model.objects.all().delete()
    items, start = ListItem.objects.count(), peak()
    looks = [look("first look"), look("nothing new")]
    get_model("partner", "StockRecord").objects.update(price=F("price") - 1)
    looks.append(look("every product cheaper"))
    assert ItemNews.objects.count() == items
    sys.stdout.write(json.dumps({"items": items, "start": start, "peak": peak(), "looks": looks}))


def peak() -> float:
    """Return the most memory that was resident so far, in MB.

    By the process's own status where there is one: ``ru_maxrss`` begins with what the parent had when it forked.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))
        if found:
            return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
