"""What accounts save and what they buy of it: counted by the database, in a few statements whatever the number of rows.

Guests' lists are in their own browsers, and are not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import Count, F, FloatField, Max, QuerySet, Value
from django.db.models.functions import Cast, TruncWeek
from django.utils import timezone

from .catalog import get_catalog
from .exceptions import NoCatalog
from .models import Save

#: What the report can look back on, in days; 0 is all that is remembered (STATISTICS_DAYS).
SPANS: Final = (30, 90, 365, 0)
#: Weeks that the plot shows at most.
MOST_WEEKS: Final = 60
#: Products that the catalogue is asked for at once.
CHUNK: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """All products together. What an account saved on several lists counts once."""

    saves: int
    bought: int
    products: int

    @property
    def waiting(self) -> int:
        """Saved, and not bought so far."""
        return self.saves - self.bought

    @property
    def share(self) -> float | None:
        """Bought of saved, from 0 to 1; None if nothing was saved."""
        return self.bought / self.saves if self.saves else None


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedProduct:
    """One product: by how many accounts it was saved, and by how many of them bought afterwards."""

    product_ref: str
    title: str
    #: Empty if the shop does not have it any more.
    url: str = ""
    saves: int
    bought: int
    last_saved: datetime
    #: The catalogue knows it.
    is_sold: bool = True

    @property
    def waiting(self) -> int:
        """Saved, and not bought so far."""
        return self.saves - self.bought

    @property
    def share(self) -> float:
        """Bought of saved, from 0 to 1."""
        return self.bought / self.saves


@dataclass(frozen=True, kw_only=True, slots=True)
class Week:
    """A week from Monday on: what was saved in it, and what was bought in it of all that had been saved before."""

    begins: date
    saved: int = 0
    bought: int = 0


def saves_since(*, days: int, now: datetime | None = None) -> QuerySet[Save]:
    """Return what was saved in the last ``days`` days; 0 for all."""
    rows = Save.objects.order_by()
    return rows.filter(saved_at__gte=(now or timezone.now()) - timedelta(days=days)) if days else rows


def count(*, days: int, now: datetime | None = None) -> Totals:
    """Return the totals of what was saved in the last ``days`` days, in one statement."""
    return Totals(
        **saves_since(days=days, now=now).aggregate(
            saves=Count("pk"), bought=Count("bought_at"), products=Count("product_ref", distinct=True)
        )
    )


def by_product(*, days: int, never_bought: bool = False, now: datetime | None = None) -> QuerySet[Any, dict[str, Any]]:
    """Return a row for each product that was saved in the last ``days`` days, as a dict, the most saved first.

    ``product_ref``, ``kept_title`` (from when it was saved), ``saves``, ``bought``, ``waiting``, ``share`` and
    ``last_saved``. ``never_bought`` leaves out those that at least one of these accounts has bought.
    """
    rows: QuerySet[Any, Any] = (
        saves_since(days=days, now=now)
        .values("product_ref")
        .annotate(
            kept_title=Max("title"),
            saves=Count("pk"),
            bought=Count("bought_at"),
            last_saved=Max("saved_at"),
        )
        .annotate(
            waiting=F("saves") - F("bought"),
            share=Cast("bought", FloatField()) / Cast("saves", FloatField()),
        )
        .order_by("-saves", "product_ref")
    )
    return rows.filter(bought=0) if never_bought else rows


def with_titles(rows: Iterable[Mapping[str, Any]]) -> Iterator[SavedProduct]:
    """Give each row the title and address that the product has today, or the title that was kept.

    Asks the catalogue once for each CHUNK products, so that an export needs no more memory than a page or two.
    """
    piece: list[Mapping[str, Any]] = []
    for row in rows:
        piece.append(row)
        if len(piece) == CHUNK:
            yield from _with_titles(piece)
            piece = []
    yield from _with_titles(piece)


def by_week(*, days: int, now: datetime | None = None) -> list[Week]:
    """Return the weeks of the last ``days`` days (0: since the first row), oldest first, without gaps; one statement.

    No more than the last MOST_WEEKS. A week is one of the current time zone. What was bought counts in the week of the
    purchase, whenever it had been saved.
    """
    now = now or timezone.now()
    this_week = _monday(timezone.localtime(now).date())
    weeks = min(MOST_WEEKS, days // 7 + 1) if days else MOST_WEEKS
    first = this_week - timedelta(weeks=weeks - 1)
    since = datetime.combine(first, time.min, timezone.get_current_timezone())
    saved = _per_week("saved_at", since)
    found: dict[tuple[str, date], int] = {
        (what, _monday(week.date())): number
        for what, week, number in saved.union(_per_week("bought_at", since), all=True)
    }
    if not days:
        first = min([week for _what, week in found] or [this_week])
    return [
        Week(
            begins=begins,
            saved=found.get(("saved_at", begins), 0),
            bought=found.get(("bought_at", begins), 0),
        )
        for begins in (first + timedelta(weeks=step) for step in range((this_week - first).days // 7 + 1))
    ]


def _per_week(column: str, since: datetime) -> QuerySet[Any, Any]:
    return (
        Save.objects.filter(**{f"{column}__gte": since})
        .order_by()
        .annotate(what=Value(column), week=TruncWeek(column))
        .values("what", "week")
        .annotate(number=Count("pk"))
        .values_list("what", "week", "number")
    )


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _with_titles(rows: list[Mapping[str, Any]]) -> Iterator[SavedProduct]:
    try:
        cards = get_catalog().get_products(refs=[row["product_ref"] for row in rows]) if rows else {}
    except NoCatalog:
        cards = {}
    for row in rows:
        card = cards.get(row["product_ref"])
        yield SavedProduct(
            product_ref=row["product_ref"],
            title=str(card.title) if card is not None else row["kept_title"] or row["product_ref"],
            url=card.url if card is not None else "",
            saves=row["saves"],
            bought=row["bought"],
            last_saved=row["last_saved"],
            is_sold=card is not None,
        )
