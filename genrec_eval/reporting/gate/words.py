"""What a gate comes to, in the words that all of its outputs share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from genrec_eval.audit.gating.types import GateResult, GateRow
from genrec_eval.core.errors import Exit
from genrec_eval.core.numbers import Figure, bound, count, figure, rough, side
from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.answer import would_decide
from genrec_eval.reporting.claimed import misread
from genrec_eval.reporting.rules import asked
from genrec_eval.reporting.tables import p_text
from genrec_eval.reporting.text import line, plural
from genrec_eval.suite.rule import PAIRED

ORDER = (Ruling.FAIL, Ruling.NOT_RUN, Ruling.INSUFFICIENT, Ruling.PASS)
"""Worst first, as the exit code ranks them."""
SYMBOLS = {Ruling.FAIL: "✗", Ruling.NOT_RUN: "-", Ruling.INSUFFICIENT: "?", Ruling.PASS: "✓"}
_EXITS = {
    Exit.PASS: (Ruling.PASS, "PASS", "The gate passes"),
    Exit.CLAIM_FAILED: (Ruling.FAIL, "FAIL", "The gate fails"),
    Exit.INCOMPLETE: (Ruling.NOT_RUN, "INCOMPLETE", "The gate cannot pass, for the run is incomplete"),
    Exit.INCONCLUSIVE: (Ruling.INSUFFICIENT, "INSUFFICIENT", "The gate is undecided"),
}
_ADJUSTED = {
    "holm": "Holm, so that the chance of any false alarm is bounded",
    "bh": "Benjamini and Hochberg, so that the share of false alarms among the alarms is bounded",
    "none": "none: each rule may raise a false alarm by itself",
}
_LEFT_OPEN = {
    "fail": "stop the gate with exit code 4",
    "warn": "are a warning",
    "pass": "are let pass",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The gate as a whole.

    Attributes
    ----------
    ruling
        Whose symbol and hue it takes.
    """

    ruling: Ruling
    word: str
    sentence: str
    code: int


def outcome(result: GateResult) -> Outcome:
    """Word, sentence and exit code of the gate."""
    code = result.exit_code
    ruling, word, lead = _EXITS[code]
    said = tally(result)
    return Outcome(ruling, word, f"{lead}: {said}." if said else f"{lead}: it has no rule.", int(code))


def tally(result: GateResult) -> str:
    """``"2 rules are broken, 1 could not be decided, 5 hold"``."""
    found = Counter(row.verdict for row in result.rows)
    parts: list[str] = []
    for ruling, one, many in (
        (Ruling.FAIL, "is broken", "are broken"),
        (Ruling.NOT_RUN, "could not be looked at", "could not be looked at"),
        (Ruling.INSUFFICIENT, "could not be decided", "could not be decided"),
        (Ruling.PASS, "holds", "hold"),
    ):
        if n := found[ruling]:
            said = f"{plural(n, 'rule') if not parts else count(n)} {one if n == 1 else many}"
            if ruling is Ruling.INSUFFICIENT:
                said += {"warn": ", which only warns", "pass": ", which the suite lets pass"}.get(
                    result.inconclusive, ""
                )
            parts.append(said)
    return ", ".join(parts)


def worst_first(result: GateResult) -> list[GateRow]:
    """Rows by ruling, in their order otherwise."""
    return sorted(result.rows, key=lambda row: ORDER.index(row.verdict))


def names(result: GateResult) -> list[tuple[GateRow, str]]:
    """Every row, worst first, with a name that no other one has."""
    seen: Counter[str] = Counter()
    found = []
    for row in worst_first(result):
        name = f"{line(row.rule, 200)} ({where_of(row)})"
        seen[name] += 1
        found.append((row, name if seen[name] == 1 else f"{name} #{seen[name]}"))
    return found


def where_of(row: GateRow) -> str:
    """``"item-knn · gender=F · top-k"``."""
    slice = "" if row.slice == "all" else row.slice
    return " · ".join(line(part, 60) for part in (row.model, slice, row.scenario) if part)


def figure_of(row: GateRow) -> Figure:
    """The figure of a row; for rules against the baseline the difference."""
    return figure(
        row.value,
        row.low,
        row.high,
        unit=row.unit,
        reason=row.reason,
        difference=row.kind in PAIRED,
        apart=(row.margin, -row.margin),
    )


def asked_of(row: GateRow) -> str:
    """What the rule asks for, in words."""
    against = "the baseline"
    if row.against and row.against != row.model:
        against = f"{line(row.against, 60)} of the baseline"
    return asked(row.kind, row.margin, row.unit, against)


def compared(row: GateRow) -> str:
    """``"0.312 before, 0.290 now"``; empty for rules that look at the run alone."""
    before, now = level(row.reference_value, row), level(row.candidate_value, row)
    return f"{before} before, {now} now" if before and now else ""


def level(value: float | None, row: GateRow) -> str:
    """One side of a difference, with the digits that the difference justifies."""
    return side(value, row.low, row.high, row.unit, (row.margin, -row.margin))


def support(row: GateRow) -> list[str]:
    """What stands behind the figure: n, exclusions, tests and power."""
    left = sum(row.excluded.values())
    why = ", ".join(f"{line(reason, 60)} {count(n)}" for reason, n in row.excluded.items())
    said = [f"n {count(row.n)}" + (f", excluded {count(left)}: {why}" if left else "")]
    if row.p is not None:
        said.append(
            f"{hypothesis(row)}: p {p_text(row.p)}"
            + (f", adjusted {p_text(row.p_adjusted)}" if row.p_adjusted is not None else "")
        )
    if row.detectable:  # where nothing differs there is none to tell
        said.append(f"smallest loss it would notice {rough(row.detectable, row.unit, row.kind in PAIRED)}")
    if row.power is not None:
        said.append(f"power {row.power * 100:.3g} %" if row.power >= 0.01 else "power < 1 %")
    return said


def hypothesis(row: GateRow) -> str:
    """What p is the probability under, and of how many sides."""
    size = bound(row.margin, row.unit, row.kind in PAIRED)
    return {
        "at_least": f"one-sided test of being {size} or more",
        "at_most": f"one-sided test of being {size} or less",
        "better_by": f"one-sided test of being better by {size} or more",
        "not_worse_by": "one-sided test of no loss",
        "within": "two-sided test of no difference",
    }.get(row.kind, "test")


def sentences(row: GateRow) -> list[str]:
    """Why, and what would decide it; each ends in a full stop."""
    found = (line(row.reason, 1000), doubt(row), would_decide(row))
    return [said if said[-1] in ".!?…" else f"{said}." for said in found if said]


def doubt(row: GateRow) -> str:
    """Where the title of a rule says something else than was tested; empty where it does not."""
    return misread(line(row.rule), row.margin, row.unit, row.kind, row.kind in PAIRED)


def terms(result: GateResult) -> Iterator[tuple[str, str]]:
    """What the gate was made with."""
    yield "Run", f"{result.run} ({result.run_id})" if result.run_id not in result.run else result.run
    yield "Suite", result.suite
    if result.baseline is not None:
        yield (
            "Baseline",
            f"{result.baseline} (run {result.baseline_run})" if result.baseline_run else result.baseline,
        )
    yield "Adjusted for many rules", _ADJUSTED.get(result.adjust, result.adjust)
    yield (
        "Power asked for",
        f"{result.power * 100:.4g} % of a loss of the margin, for rules against the baseline",
    )
    yield "Undecided rules", _LEFT_OPEN[result.inconclusive]
    yield "Exit code", str(int(result.exit_code))
