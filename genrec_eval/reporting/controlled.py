"""Models made to fail: which claims and checks found what was planted in them, and where nothing did."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from genrec_eval.protocol.results import Ruling, Verdict
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.text import line, listing

_MOST = 3


@dataclass(frozen=True, slots=True)
class Control:
    """A model with a planted flaw, and what came of it.

    Attributes
    ----------
    flaw
        Title of the measure that is to find it.
    found
        Titles of what found it, claims first: by that measure, or as the suite expects.
    otherwise
        Titles of what the model failed by another measure, that nobody expected.
    played
        Whether the model has any figure.
    """

    model: str
    flaw: str
    found: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    played: bool = True

    @property
    def missed(self) -> bool:
        """Whether it was played, and nothing found what was planted."""
        return self.played and not self.found

    @property
    def alarm(self) -> str:
        """What is said loudly where nothing found it; empty elsewhere."""
        if not self.missed:
            return ""
        text = (
            f"The flaw planted in {line(self.model, 60)} ({line(self.flaw, 80)}) was not found: no claim and"
            " no check failed by its measure, so nothing here shows that such a flaw would be seen"
        )
        return (
            f"{text}; it fails {_quoted(self.otherwise)}, by another measure."
            if self.otherwise
            else f"{text}."
        )

    def tag(self, row: Verdict) -> str:
        """What stands beside a row about this model: whether this row, or which other, found the flaw."""
        start = f"control with a planted flaw ({line(self.flaw, 80)})"
        if row.verdict is Ruling.FAIL and line(row.claim, 200) in self.found:
            return f"{start}: found here"
        failed = ", fails here by another measure" if row.verdict is Ruling.FAIL else ""
        if self.found:
            return f"{start}{failed}, found by {_quoted(self.found)}"
        return f"{start}{failed}, which nothing found" if self.played else start


def controlled(results: Results, flaws: Mapping[str, str]) -> dict[str, Control]:
    """Model → what came of the flaw that was planted in it.

    A flaw that is named by no measure of the run is found by whatever fails: nothing tells which should.
    """
    scored = {row.model for row in results.estimates if row.value is not None}
    found = {}
    known = {str(one.get("title") or "") for one in results.definitions.values()}
    known |= {_name(metric) for metric in results.definitions}
    for model, flaw in flaws.items():
        named = flaw in known
        rows = [row for row in results.verdicts if row.model == model and row.verdict is Ruling.FAIL]
        rows.sort(key=lambda row: not row.gate)
        hits = [row.claim for row in rows if not named or finds(results, row, flaw)]
        rest = [row.claim for row in rows if named and not finds(results, row, flaw)]
        found[model] = Control(model, flaw, _once(hits), _once(rest), model in scored)
    return found


def finds(results: Results, row: Verdict, flaw: str) -> bool:
    """Whether a verdict finds a planted flaw: it fails as expected, or by the measure that is to find it."""
    if row.verdict is not Ruling.FAIL:
        return False
    title = str(results.definition(row.metric).get("title") or "")
    return row.expected is Ruling.FAIL or flaw in (title, _name(row.metric))


def _name(metric: str) -> str:
    return re.split(r"[(@]", metric)[0].replace("_", " ")


def _once(titles: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line(title, 200) for title in titles))


def _quoted(titles: tuple[str, ...]) -> str:
    named = [f"“{title}”" for title in titles[:_MOST]]
    return listing([*named, f"{len(titles) - _MOST} more"] if len(titles) > _MOST else named)
