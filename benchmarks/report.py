"""What is printed: Markdown, a table a comparison, and under it what DESIGN allows."""

from __future__ import annotations

from .measuring import Budget, Table


def render(database: str, tables: list[Table]) -> str:
    return "\n\n".join(_table(database, table) for table in tables)


def is_kept(tables: list[Table]) -> bool:
    """Whether no budget is clearly missed."""
    return all(budget.verdict != "over" for table in tables for budget in table.budgets)


def _table(database: str, table: Table) -> str:
    first = table.rows[0]["name"]
    lines = [
        f"### {table.title}: {database}",
        "",
        f"| | median | {first} takes | of processor time | queries | of them writes |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in table.rows:
        ratios = " | " if row is table.rows[0] else f"{row['ratio']:.2f} × | {row['busy_ratio']:.2f} ×"
        lines.append(
            f"| {row['name']} | {row['milliseconds']:.2f} ms | {ratios} | {row['queries']} | {row['writes']} |"
        )
    if table.budgets:
        lines += ["", "| budget | measured | of processor time | allowed | |", "|---|---:|---:|---:|---|"]
        lines += [_budget(budget) for budget in table.budgets]
    return "\n".join(lines)


def _budget(budget: Budget) -> str:
    measured = f"{budget.measured:.2f}" if budget.unit == "×" else f"{budget.measured:.0f}"
    busy = "" if budget.busy is None else f"{budget.busy:.2f}"
    verdict = {"over": "**over**"}.get(budget.verdict, budget.verdict)
    return f"| {budget.text} | {measured} | {busy} | ≤ {budget.limit:g} | {verdict} |"
