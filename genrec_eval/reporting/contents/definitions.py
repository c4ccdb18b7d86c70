"""Definitions of all metrics on the page: what is computed, where it ends, and what misleads."""

from __future__ import annotations

from dataclasses import dataclass

from genrec_eval.core.numbers import bound
from genrec_eval.reporting.contents.ground import Ground

_DIRECTIONS = {"higher": "higher is better", "lower": "lower is better"}
NONE_KNOWN = "none recorded"


@dataclass(frozen=True, slots=True)
class Defined:
    """One metric, in pairs of a word and a text."""

    metric: str
    title: str
    summary: str
    rows: tuple[tuple[str, str], ...]
    signature: str


def defined(on: Ground) -> list[Defined]:
    """Definitions in the order of the report."""
    return [_defined(on, metric) for metric in dict.fromkeys(row.metric for row in on.results.estimates)]


def _defined(on: Ground, metric: str) -> Defined:
    known = on.results.definition(metric)
    unit = str(known.get("unit") or "")
    made = known.get("made")
    rows = (
        ("Formula", known.get("formula")),
        ("Range", _range(known.get("bounds"), unit)),
        ("Direction", _DIRECTIONS.get(on.results.direction(metric), "no better side")),
        ("Value", value_made(str(made), str(known.get("resampling_unit") or "unit")) if made else ""),
        ("Degenerate cases", known.get("degenerate")),
        ("Known traps", known.get("traps") or NONE_KNOWN),
        ("Worked example", known.get("example")),
        ("Source", known.get("source")),
    )
    signature = str(known.get("signature") or known.get("definition") or metric)
    return Defined(
        metric,
        on.results.title(metric),
        str(known.get("summary") or ""),
        tuple((word, str(text)) for word, text in rows if text),
        signature,
    )


def value_made(made: str, unit: str) -> str:
    """What has a value, and how that of the run is made.

    >>> value_made("their mean", "user")
    "one per user; the run's value is their mean"
    """
    if made.startswith("computed over all"):  # a unit has no value of its own, only a part in it
        return f"one for the whole run, {made}; its interval is from what it loses without each {unit}"
    return f"one per {unit}; the run's value is {made}"


def _range(bounds: object, unit: str) -> str:
    if not isinstance(bounds, list | tuple) or len(bounds) != 2:
        return "not stated"
    low, high = (bound(x, unit) if isinstance(x, int | float) else None for x in bounds)
    if low is None and high is None:
        return "any number"
    return f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}"
