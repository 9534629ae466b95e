"""How time and queries are taken: sides in turn, round after round, and medians of what each took."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter, thread_time
from typing import Any

from django.db import connection


@dataclass
class Side:
    """One of the things that are compared."""

    name: str
    #: Does the work once.
    run: Callable[[], Any]
    #: Puts back what the work changed; not timed.
    before: Callable[[], Any] | None = None
    seconds: list[float] = field(default_factory=list, repr=False)
    #: Of them on the processor: other work on the machine hardly lengthens it. A database server's is not in it.
    busy: list[float] = field(default_factory=list, repr=False)

    @property
    def median(self) -> float:
        """Seconds, in the middle of all rounds."""
        return median(self.seconds)

    @property
    def median_busy(self) -> float:
        """Seconds on the processor, in the middle of all rounds."""
        return median(self.busy)

    def once(self) -> Any:
        if self.before is not None:
            self.before()
        return self.run()


@dataclass(frozen=True)
class Budget:
    """What DESIGN allows, and what was measured. ``limit`` is inclusive."""

    text: str
    measured: float
    limit: float
    unit: str = "×"
    #: The same ratio of processor times.
    busy: float | None = None

    @property
    def verdict(self) -> str:
        """Return "pass", "over", or "unsure" if the clock says one thing and the processor another: a busy machine."""
        verdicts = {figure <= self.limit for figure in (self.measured, self.busy) if figure is not None}
        return "unsure" if len(verdicts) == 2 else "pass" if verdicts.pop() else "over"


@dataclass(frozen=True)
class Table:
    """The sides of one comparison, ready to be printed."""

    title: str
    #: Ours first: name, milliseconds, how many times a row's time (and processor time) ours takes, queries, writes.
    rows: list[dict[str, Any]]
    budgets: list[Budget]


def take_turns(sides: Sequence[Side], *, rounds: int, warm_up: int = 10, seed: int = 7) -> None:
    """Let every side do its work once a round, and note how long each took.

    What else the machine does hits all sides alike, because they take turns; and since the order within a round is
    shuffled (the same way each time), none always follows the one that leaves the processor's caches cold. Garbage is
    collected before each turn and not during it, for all alike.
    """
    for _round in range(warm_up):
        for side in sides:
            side.once()
    order = list(sides)
    shuffle = random.Random(seed).shuffle
    gc.collect()
    # What lives already is not looked at again, so that collecting before each turn is quick.
    gc.freeze()
    try:
        for _round in range(rounds):
            shuffle(order)
            for side in order:
                if side.before is not None:
                    side.before()
                gc.collect()
                gc.disable()
                start, start_busy = perf_counter(), thread_time()
                side.run()
                busy = thread_time() - start_busy
                side.seconds.append(perf_counter() - start)
                side.busy.append(busy)
                gc.enable()
    finally:
        gc.enable()
        gc.unfreeze()


def ratio(side: Side, peer: Side) -> float:
    """How many times as long as the peer: median by median."""
    return side.median / peer.median


def busy_ratio(side: Side, peer: Side) -> float:
    """The same of the processor's time."""
    return side.median_busy / peer.median_busy


def at_most(limit: float, side: Side, peer: Side, text: str) -> Budget:
    """Compare the ratio of two measured sides with its limit."""
    return Budget(text, ratio(side, peer), limit, busy=busy_ratio(side, peer))


@contextmanager
def statements() -> Any:
    """Collect the SQL that is sent, with debug off."""
    sent: list[str] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        sent.append(sql)
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        yield sent


def sql_of(side: Side) -> list[str]:
    """Return the statements of one turn; transactions are not counted."""
    if side.before is not None:
        side.before()
    with statements() as sent:
        side.run()
    return [sql for sql in sent if not sql.startswith(("SAVEPOINT", "RELEASE", "BEGIN", "ROLLBACK"))]


def writes(sql: Sequence[str]) -> int:
    return sum(statement.lstrip(" (").startswith(("INSERT", "UPDATE", "DELETE")) for statement in sql)


def tabulate(title: str, sides: Sequence[Side], budgets: list[Budget]) -> Table:
    """Count the queries of measured sides, and put all figures side by side."""
    rows = []
    for side in sides:
        sql = sql_of(side)
        rows.append(
            {
                "name": side.name,
                "milliseconds": side.median * 1000,
                "ratio": ratio(sides[0], side),
                "busy_ratio": busy_ratio(sides[0], side),
                "queries": len(sql),
                "writes": writes(sql),
            }
        )
    return Table(title, rows, budgets)
