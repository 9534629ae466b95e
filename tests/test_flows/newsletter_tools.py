"""What the newsletter's tests share: the link in a mail, and many hands at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

from django.db import connection


def link_in(message: Any) -> str:
    found = re.search(r"https?://[^\s/]+(/\S+)", message.body)
    assert found
    return found[1]


def token_in(message: Any) -> str:
    return link_in(message).rstrip("/").rpartition("/")[2]


def in_threads(count: int, work: Callable[[], Any]) -> list[Any]:
    """Do the work in so many threads at once; return what each got."""
    barrier = Barrier(count)
    results: list[Any] = []

    def run() -> None:
        try:
            barrier.wait(timeout=10)
            results.append(work())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run) for _n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
