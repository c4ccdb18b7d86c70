"""The comparison in Markdown, for a comment or the step summary of a CI job."""

from __future__ import annotations

from genrec_eval.audit.comparing.types import Comparison, Difference
from genrec_eval.core.numbers import count
from genrec_eval.reporting.comparison.words import (
    DECIDED,
    KINDS,
    WORDS,
    answer,
    asides,
    by_group,
    caution,
    figure_of,
    flip_rows,
    moved,
    none,
    overall,
    sides,
    support,
    unmoved,
    where,
)
from genrec_eval.reporting.markdown import escape, table
from genrec_eval.reporting.text import plural

_MOST_ROWS = 60


def comparison_summary(comparison: Comparison) -> str:
    """Answer, settings that differ, pairing, differences worst first, flips, and what is missing."""
    parts = [
        f"## {escape(comparison.candidate)} against {escape(comparison.reference)}",
        f"**{escape(answer(comparison))}**",
    ]
    if warning := caution(comparison):
        parts.append(f"**WARNING** {escape(warning, 1000)}")
    if said := asides(comparison):
        parts.append("\n".join(f"- {escape(one)}" for one in said))
    if comparison.settings:
        parts.append("### Settings that differ")
        body = [
            [
                escape(one.what),
                escape(one.name),
                escape(none(one.reference), 120),
                escape(none(one.candidate), 120),
                escape(one.unsound or ""),
            ]
            for one in comparison.settings[:_MOST_ROWS]
        ]
        parts.append(table(["what", "of", "reference", "candidate", "unsound because"], body))
        parts += _more(len(comparison.settings), "setting")
    if comparison.pairs:
        parts.append("### How units were paired")
        body = [
            [
                escape(row.scenario),
                *(count(n) for n in (row.paired, row.only_reference, row.only_candidate, row.changed)),
            ]
            for row in comparison.pairs[:_MOST_ROWS]
        ]
        parts.append(
            table(["scenario", "paired", "only reference", "only candidate", "asked otherwise"], body)
        )
        parts += _more(len(comparison.pairs), "scenario")
    if rows := overall(comparison):
        parts.append("### Differences, candidate minus reference")
        parts += _differences(comparison, rows)
    for name, rows in by_group(comparison).items():
        if decided := [row for row in rows if row.change in DECIDED]:
            parts.append(f"### Told apart by {escape(name)}")
            parts += _differences(comparison, decided)
    if flipped := flip_rows(comparison):
        parts.append("### Flips")
        body = [
            [
                escape(", ".join(metrics)),
                escape(model),
                escape(scenario),
                *(count(counts.get(kind, 0)) for kind in KINDS),
            ]
            for scenario, model, metrics, counts in flipped[:_MOST_ROWS]
        ]
        parts.append(table(["what", "model", "scenario", *KINDS], body))
        parts += _more(len(flipped), "row")
    if comparison.missing:
        parts.append("### What could not be compared")
        parts.append("\n".join(f"- {escape(one, 500)}" for one in comparison.missing[:_MOST_ROWS]))
        parts += _more(len(comparison.missing), "figure")
    return "\n\n".join(parts) + "\n"


def _differences(comparison: Comparison, rows: list[Difference]) -> list[str]:
    body = []
    same, rows = unmoved(rows), moved(rows)
    for row in rows[:_MOST_ROWS]:
        word, symbol = WORDS[row.change]
        before, after = sides(row)
        shown = figure_of(row)
        body.append(
            [
                f"**{word}** {symbol}",
                escape(" · ".join(filter(None, (row.metric, where(row, comparison))))),
                before or "—",
                after or "—",
                escape(shown if shown.known else "—"),
                escape(f"{row.reason} ({'; '.join(support(row))})", 600),
            ]
        )
    head = ["change", "metric", "before", "after", "difference", "why"]
    parts = [table(head, body), *_more(len(rows), "row")] if rows else []
    for model, scenario, slices in same[:_MOST_ROWS]:
        names = "; ".join(f"{', '.join(metrics)}{f' for {of}' if of else ''}" for of, metrics in slices)
        said = f"{model} in {scenario}, identical for every unit: {names}"
        parts.append(f"**UNCHANGED** = {escape(said, 1000)}")
    return parts


def _more(number: int, noun: str) -> list[str]:
    left = number - _MOST_ROWS
    return [f"{plural(left, f'more {noun}')} in the page and the JSON."] if left > 0 else []
