"""The benchmarks run, measure what they say, and print it. How long anything takes is never asserted."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.measuring import Budget, Side, Table, at_most, ratio, take_turns
from benchmarks.report import is_kept, render

ROOT = Path(__file__).resolve().parent.parent


def side(name: str, seconds: list[float], busy: list[float] | None = None) -> Side:
    return Side(name, lambda: None, seconds=seconds, busy=busy or seconds)


def test_every_side_has_one_turn_a_round() -> None:
    turns: list[str] = []
    sides = [Side(name, lambda name=name: turns.append(name)) for name in "abc"]
    take_turns(sides, rounds=4, warm_up=1)
    assert turns[:3] == ["a", "b", "c"]
    assert all(set(turns[start : start + 3]) == set("abc") for start in range(0, len(turns), 3))
    assert [len(side.seconds) for side in sides] == [len(side.busy) for side in sides] == [4, 4, 4]


def test_what_is_put_back_before_a_turn_is_not_part_of_it() -> None:
    done: list[str] = []
    one = Side("one", lambda: done.append("run"), before=lambda: done.append("before"))
    take_turns([one], rounds=2, warm_up=0)
    assert done == ["before", "run", "before", "run"]


def test_ratios_are_of_medians() -> None:
    assert ratio(side("ours", [3, 1, 200]), side("peer", [1, 2, 2])) == 1.5


@pytest.mark.parametrize(
    ("seconds", "busy", "verdict"), [(1.5, 1.5, "pass"), (1.6, 1.6, "over"), (1.6, 1.4, "unsure"), (1.4, 1.6, "unsure")]
)
def test_a_verdict_needs_the_clock_and_the_processor(seconds: float, busy: float, verdict: str) -> None:
    budget = at_most(1.5, side("ours", [seconds], [busy]), side("peer", [1.0], [1.0]), "× a peer")
    assert budget.verdict == verdict


def test_the_report_says_what_is_over() -> None:
    rows = [
        {"name": "ours", "milliseconds": 2.0, "ratio": 1.0, "busy_ratio": 1.0, "queries": 1, "writes": 0},
        {"name": "peer", "milliseconds": 1.0, "ratio": 2.0, "busy_ratio": 2.0, "queries": 3, "writes": 2},
    ]
    tables = [Table("Cart", rows, [Budget("× a peer", 2.0, 1.5), Budget("queries", 1, 1, "queries")])]
    text = render("SQLite", tables)
    assert "### Cart: SQLite" in text
    assert "| peer | 1.00 ms | 2.00 × | 2.00 × | 3 | 2 |" in text
    assert "| × a peer | 2.00 |  | ≤ 1.5 | **over** |" in text
    assert "| queries | 1 |  | ≤ 1 | pass |" in text
    assert not is_kept(tables)


@pytest.mark.skipif(importlib.util.find_spec("oscar") is None, reason="needs django-oscar")
def test_every_row_is_measured(tmp_path: Path) -> None:
    """One real round in a process of its own, which has Oscar's settings; what is counted is asserted."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "benchmarks.settings", "EXAMPLE_SITE_VAR": str(tmp_path)}
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, "-m", "benchmarks", "--measure-here", "--rounds", "1"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page, framed, add, change, by_guest, by_account, shown, *coupons = json.loads(done.stdout)
    assert [table["title"] for table in coupons if "odes" in table["title"]] == [
        "Issue 2,000 single codes",
        "Issue 20 single codes",
        "Memory for codes in bulk",
    ]
    for table in (page, framed, add, change, by_guest, by_account, shown):
        assert all(row["ratio"] > 0 and row["milliseconds"] > 0 for row in table["rows"])
    for table in (add, change):
        ours, _bare, oscar, *_flexcommerce = table["rows"]
        assert (ours["queries"], ours["writes"]) == (1, 0)
        assert oscar["writes"] > 0
        assert [budget["measured"] for budget in table["budgets"] if budget["unit"] != "×"] == [1, 0, 0]
    ours, _bare = by_guest["rows"]
    assert (ours["queries"], ours["writes"]) == (1, 0)
    assert [row["name"] for row in by_account["rows"]][2:4] == ["Oscar's wish list", "Oscar's basket, save for later"]
    assert all(row["writes"] > 0 for row in by_account["rows"])
    assert [budget["measured"] for budget in shown["budgets"] if budget["unit"] == "queries"] == [4, 5, 4]
    three, twenty = (budget["measured"] for budget in page["budgets"] if budget["unit"] == "queries")
    assert three == twenty
    assert [row["writes"] for row in page["rows"]] == [0] * len(page["rows"])


@pytest.mark.postgres
@pytest.mark.skipif(importlib.util.find_spec("oscar") is None, reason="needs django-oscar")
def test_sixteen_clients_keep_to_the_limit() -> None:
    """CO-1: one real turn on a server of its own; the row itself asserts that it is exactly the limit."""
    command = [sys.executable, "-m", "benchmarks", "--only", "coupons_hot", "--database", "postgres", "--rounds", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "| ours |" in done.stdout and "| raw SQL |" in done.stdout, done.stdout
