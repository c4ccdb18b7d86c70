"""The gate in Markdown, for the step summary of a CI job."""

from __future__ import annotations

from collections.abc import Iterable

from genrec_eval.audit.gating.types import GateResult
from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.gate.words import (
    SYMBOLS,
    asked_of,
    compared,
    figure_of,
    outcome,
    sentences,
    support,
    terms,
    where_of,
    worst_first,
)
from genrec_eval.reporting.markdown import escape, table
from genrec_eval.reporting.text import line, plural

_MOST_ROWS = 100


def gate_summary(result: GateResult) -> str:
    """Verdict, what is incomplete, the table of rules, and the sentences of those that do not hold."""
    whole, rows = outcome(result), worst_first(result)
    parts = [f"## Gate: {whole.word} {SYMBOLS[whole.ruling]}", escape(whole.sentence)]
    if result.incomplete:
        parts.append(
            _bullets(f"**INCOMPLETE** {escape(line(said, 1000), 1000)}" for said in result.incomplete)
        )
    if rows:
        body = [
            [
                f"**{row.verdict}** {SYMBOLS[row.verdict]}",
                escape(row.rule),
                escape(where_of(row)),
                escape(f"{line(row.metric, 120)} {figure_of(row) if figure_of(row).known else '—'}"),
                escape(asked_of(row)),
            ]
            for row in rows[:_MOST_ROWS]
        ]
        parts.append(table(["verdict", "rule", "of", "figure", "asked"], body))
        if len(rows) > _MOST_ROWS:
            left = plural(len(rows) - _MOST_ROWS, "more rule")
            parts.append(f"{left}, the last of this order, in the JSON and the page.")
    told = [row for row in rows if row.verdict is not Ruling.PASS][:_MOST_ROWS]
    if told:
        parts.append("### Why")
        parts.append(
            _bullets(
                f"**{row.verdict}** {escape(f'{line(row.rule, 200)} ({where_of(row)})')}: "
                + escape(" ".join(sentences(row)), 1200)
                + (f" _{escape('; '.join(filter(None, (compared(row), *support(row)))))}_")
                for row in told
            )
        )
    if result.warnings:
        parts.append(_bullets(escape(said, 1000) for said in result.warnings))
    facts = "; ".join(f"{name}: {line(value, 300)}" for name, value in terms(result))
    parts.append(f"<sub>{escape(facts, 2000)}</sub>")
    return "\n\n".join(parts) + "\n"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {one}" for one in lines)
