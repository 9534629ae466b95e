"""Many threads at once, each with a connection of its own that it keeps from one round to the next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol, TypeVar

from django.db import connection

THREADS = 20
T = TypeVar("T")


class AtOnce(Protocol):
    """Run ``work(0) … work(n - 1)`` in threads that start together; return results and exceptions in this order."""

    def __call__(self, work: Callable[[int], T], *, threads: int = THREADS) -> list[T | Exception]: ...


@contextmanager
def gather() -> Iterator[AtOnce]:
    """Gather the threads for one test."""
    with ThreadPoolExecutor(THREADS) as pool:

        def run_together(work: Callable[[int], T], *, threads: int = THREADS) -> list[T | Exception]:
            barrier = threading.Barrier(threads)

            def run(number: int) -> T | Exception:
                barrier.wait(timeout=30)
                try:
                    return work(number)
                except Exception as error:
                    return error

            return list(pool.map(run, range(threads)))

        yield run_together
        run_together(lambda _: connection.close())
