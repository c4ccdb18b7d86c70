"""Paired differences as tables: which models can be told apart, and what would have shown."""

from __future__ import annotations

from collections.abc import Sequence

from genrec_eval.reporting.compare import differences, stays_clear
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.rules import lines_at
from genrec_eval.reporting.tables import Line, Table, blocks, cell, columns, covering
from genrec_eval.reporting.text import plural


def difference_tables(
    results: Results, scenario: str, metrics: Sequence[str], order: Sequence[str]
) -> list[Table]:
    """Paired differences, one row a pair, grouped by baseline; the rule is no difference."""
    found = [row for row in differences(results, scenario) if row.metric in metrics]
    index = {(row.metric, row.model, row.baseline): row for row in found}
    pairs = list(dict.fromkeys((row.baseline or "", row.model) for row in found))
    metrics = [m for m in metrics if any(row.metric == m for row in found)]
    tables = []
    for block in blocks(metrics):
        margins = {m: (0.0, *_margins(results, scenario, m)) for m in block}
        scales = {m: covering([row for row in found if row.metric == m], margins[m]) for m in block}
        bodies = []
        for baseline in dict.fromkeys(base for base, _ in pairs):
            lines = []
            for model in [model for base, model in pairs if base == baseline]:
                position = order.index(model) if model in order else len(order)
                cells = []
                for m in block:
                    row = index.get((m, model, baseline))
                    mark = "clear" if row is not None and stays_clear(row) else ""
                    cells.append(cell(results, row, scales[m], position, rules=margins[m], mark=mark))
                lines.append(Line(model, position, tuple(cells), baseline))
            bodies.append((f"minus {baseline}", -1, tuple(lines)))
        shown = [row for row in found if row.metric in block and row.value is not None]
        clear = sum(stays_clear(row) for row in shown)
        tables.append(
            Table(
                f"{clear} of {plural(len(shown), 'paired difference')} are clear of zero",
                "Model minus baseline on the same units; the upright rule is no difference. Bold figures are"
                " told apart from it even after Holm's adjustment for the pairs of models. Each interval is"
                " that of its pair alone; behind a figure stand p and the least difference that would show.",
                columns(results, block, scales),
                tuple(bodies),
            )
        )
    return tables


def _margins(results: Results, scenario: str, metric: str) -> tuple[float, ...]:
    found: list[float] = []
    for row in results.verdicts:
        if (row.scenario, row.metric, row.slice) == (scenario, metric, "all") and row.baseline is not None:
            found += lines_at(row.rule, row.margin, results.direction(metric))
    return tuple(dict.fromkeys(found))
