"""``python -m benchmarks.issuing_memory 1000000``: make and export codes, and print the process's peak memory as JSON."""

from __future__ import annotations

import json
import resource
import sys
from time import perf_counter

import django


def main(count: int) -> None:
    """Do it as the command and the download do, in the database that is there already."""
    django.setup()
    from coupons.bulk import order_batch, work_batch
    from coupons.exporting import export_csv
    from coupons.models import Campaign

    from .measuring import statements, writes

    campaign = Campaign.objects.create(title="A million", status=Campaign.Status.RUNNING)
    start, clock = peak(), perf_counter()
    with statements() as sent:
        batch = work_batch(batch=order_batch(campaign=campaign, quantity=count))
        exported = sum(piece.count("\n") for piece in export_csv(batch=batch))
    sql = [statement for statement in sent if not statement.startswith(("SAVEPOINT", "RELEASE", "BEGIN"))]
    found = {
        "exported": exported,
        "seconds": perf_counter() - clock,
        "start": start,
        "peak": peak(),
        "queries": len(sql),
        "writes": writes(sql),
    }
    sys.stdout.write(json.dumps(found))


def peak() -> float:
    """Return the most memory that was resident so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]))
