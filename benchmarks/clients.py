"""Many clients at once: processes with connections of their own, as the workers of a shop's web server are.

Threads of one process would wait for each other's Python, and that would be measured instead of the database's locks.
"""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import Any, Protocol

from django.db import connections

from .measuring import Budget, Table

CLIENTS = 16


class Rival(Protocol):
    """One of the ways to take a use of a coupon."""

    name: str
    #: Statements of one accepted try, without BEGIN and COMMIT; how many of them write.
    queries: int
    writes: int

    def prepare(self, *, coupons: int, limit: int) -> list[str]:
        """Make so many fresh coupons with so many uses each, and return what ``attempt`` knows them by."""

    def attempt(self, coupon: str, order_ref: str) -> bool:
        """Take one use in the calling process, and return whether there was one."""

    def count(self) -> int:
        """Return how many uses the database knows of the coupons prepared last."""


@dataclass
class Score:
    """What one rival took, in seconds a turn."""

    rival: Rival
    seconds: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)


class Clients:
    """Sixteen processes that wait for work."""

    def __init__(self, rivals: Sequence[Rival]) -> None:
        self.rivals = list(rivals)
        context = multiprocessing.get_context("fork")
        barrier = context.Barrier(CLIENTS + 1)
        # No connection may be shared with a child.
        connections.close_all()
        self._barrier, self._ends, self._processes = barrier, [], []
        for number in range(CLIENTS):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(number, self.rivals, theirs, barrier), daemon=True)
            process.start()
            self._ends.append(ours)
            self._processes.append(process)

    def turn(self, score: Score, coupons: list[str], *, tries: int, name: str) -> None:
        """Let every client do its share of the tries on these coupons, and note how long all of them took together."""
        for end in self._ends:
            end.send((self.rivals.index(score.rival), coupons, tries // CLIENTS, name))
        self._barrier.wait(timeout=60)
        start = perf_counter()
        answers = [end.recv() for end in self._ends]
        score.seconds.append(perf_counter() - start)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        score.accepted.append(sum(accepted for accepted, _busy in answers))
        score.busy.append(sum(busy for _accepted, busy in answers))

    def stop(self) -> None:
        for end in self._ends:
            end.send(None)
        for process in self._processes:
            process.join(timeout=10)


def _work(number: int, rivals: list[Rival], end: Connection, barrier: Barrier) -> None:
    while (task := end.recv()) is not None:
        index, coupons, tries, name = task
        chosen = random.Random(f"{name} {number}").choices(coupons, k=tries)
        barrier.wait(timeout=60)
        start, accepted = process_time(), 0
        try:
            for turn, coupon in enumerate(chosen):
                accepted += rivals[index].attempt(coupon, f"{name} {number}-{turn}")
        except Exception as error:
            end.send(RuntimeError(f"{rivals[index].name}: {error!r}"))
        else:
            end.send((accepted, process_time() - start))


@contextmanager
def working(rivals: Sequence[Rival]) -> Iterator[Clients]:
    clients = Clients(rivals)
    try:
        yield clients
    finally:
        clients.stop()


def compete(
    clients: Clients,
    *,
    turns: int,
    coupons: int,
    limit: int,
    tries: int,
    fresh: bool = True,
    warm_up: int = 1,
    seed: int = 7,
) -> list[Score]:
    """Let the rivals take turns, in shuffled order, each time on fresh coupons, or always on the same.

    Raises AssertionError if one has not kept to the limit of fresh coupons, or has not used it up, or has refused a
    use that there was.
    """
    scores = [Score(rival) for rival in clients.rivals]
    made = {} if fresh else {id(rival): rival.prepare(coupons=coupons, limit=limit) for rival in clients.rivals}
    shuffle = random.Random(seed).shuffle
    for number in range(warm_up + turns):
        order = list(scores)
        shuffle(order)
        for score in order:
            rival = score.rival
            wanted = rival.prepare(coupons=coupons, limit=limit) if fresh else made[id(rival)]
            clients.turn(score, wanted, tries=tries, name=f"{number} {rival.name}"[:40])
            assert score.accepted[-1] == (min(tries, limit * coupons) if fresh else tries), rival.name
            assert not fresh or rival.count() == score.accepted[-1], rival.name
        if number < warm_up:
            for score in scores:
                score.seconds, score.busy, score.accepted = [], [], []
    return scores


def tabulate(title: str, scores: list[Score], *, tries: int) -> Table:
    """Put all figures side by side; a row's time is that of one try, all clients together."""
    ours = scores[0]
    rows: list[dict[str, Any]] = [
        {
            "name": score.rival.name,
            "milliseconds": median(score.seconds) / tries * 1000,
            "ratio": median(ours.seconds) / median(score.seconds),
            "busy_ratio": median(ours.busy) / median(score.busy),
            "queries": score.rival.queries,
            "writes": score.rival.writes,
        }
        for score in scores
    ]
    return Table(title, rows, [])


def as_quick(least: float, ours: Score, other: Score, text: str) -> Budget:
    """Compare speeds: ours must be at least ``least`` times the other's. The middle half of the turns is told too.

    There is no second verdict by processor time: most of the work is the database server's and waiting for its locks.
    """
    quick = [theirs / mine for mine, theirs in zip(ours.seconds, other.seconds, strict=True)]
    low, _middle, high = quantiles(quick, n=4) if len(quick) > 1 else quick * 3
    measured = median(ours.seconds) / median(other.seconds)
    spread = f"speed {1 / measured:.2f} ×, middle half {low:.2f} to {high:.2f}; DESIGN: at least {least:g} ×"
    return Budget(f"time, × {text} ({spread})", measured, 1 / least)
