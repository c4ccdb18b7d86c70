"""How often there is an answer, after how long, and how long the list is: for groups of users above all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Bool, Definition, UnitScores, define
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.protocol.arrays import Float64, Int64
from genrec_eval.protocol.status import CODES, FAILED, UNANSWERED, Status

_ANSWERED = np.array([status not in UNANSWERED for status in CODES])
_REFUSED = np.array([status is Status.REFUSED for status in CODES])
_UNREADABLE = np.array([status in FAILED - UNANSWERED for status in CODES])


@dataclass(frozen=True, slots=True)
class Answers:
    """How m exchanges about n units ended.

    Attributes
    ----------
    units
        int64[m], the unit of each exchange.
    statuses
        int64[m], index into :data:`~genrec_eval.protocol.status.CODES`; exchanges that were never tried are
        none.
    seconds
        float64[m], from sending to the end of the answer; NaN where an exchange was not timed on its own.
    n
        Number of units.
    """

    units: Int64
    statuses: Int64
    seconds: Float64
    n: int

    def __len__(self) -> int:
        return self.n

    def mean(self, values: Float64, counted: Bool | None = None, why: str = "") -> UnitScores:
        """Each unit's mean over its exchanges, or over those ``counted``; without any it is left out."""
        asked = np.bincount(self.units, minlength=self.n) > 0
        of = self.units if counted is None else self.units[counted]
        kept = values if counted is None else values[counted]
        counts = np.bincount(of, minlength=self.n)
        sums = np.bincount(of, weights=kept, minlength=self.n)
        means = np.divide(sums, counts, out=np.zeros(self.n), where=counts > 0)
        reasons = {"not-attempted": ~asked, why: asked & (counts == 0)}
        return UnitScores(values=means, reasons={name: mask for name, mask in reasons.items() if mask.any()})


_COUNTED = (
    "Every exchange that was tried counts; of a user with several (repeats, cases, steps) the mean is taken."
    " Texts that were asked for once more with a value disclosed do not count: value_gap and value_difference"
    " with of=refusal_rate and others are about these."
    " Users whom nobody asked are excluded and counted (not-attempted)."
)
_SHARED: dict[str, Any] = {
    "unit": "share",
    "values": "indicator",
    "needs_cutoff": False,
    "on": "answers",
    "degenerate": _COUNTED,
    "source": "This project; the statuses are those that the coverage of a run counts.",
}


@define(
    Definition(
        name="answer_rate",
        title="Answered",
        summary="Share of users who got an answer at all.",
        formula="1 if an answer came (also a refusal, or one that could not be read), else 0",
        direction="higher",
        traps="An answer is no list and no text: see refusal_rate and parse_failure_rate. An empty one is an"
        " answer: see length and list_length.",
        **_SHARED,
    )
)
def answer_rate(answers: Answers) -> UnitScores:
    """Whether there was an answer."""
    return answers.mean(_ANSWERED[answers.statuses].astype(np.float64))


@define(
    Definition(
        name="refusal_rate",
        title="Refused",
        summary="Share of users whom the model declined to answer.",
        formula="1 if the status of the answer is refused, else 0",
        direction="lower",
        traps="A refusal in the words of a list or a text is none: it counts by what could be read from it.",
        **_SHARED,
    )
)
def refusal_rate(answers: Answers) -> UnitScores:
    """Whether the model declined."""
    return answers.mean(_REFUSED[answers.statuses].astype(np.float64))


@define(
    Definition(
        name="parse_failure_rate",
        title="Unreadable",
        summary="Share of users to whose question something came that was no readable answer.",
        formula="1 if the status is unparsed, invalid or oversized, else 0",
        direction="lower",
        traps="No answer at all is no unreadable one: see answer_rate.",
        **_SHARED,
    )
)
def parse_failure_rate(answers: Answers) -> UnitScores:
    """Whether the answer could not be read."""
    return answers.mean(_UNREADABLE[answers.statuses].astype(np.float64))


@define(
    Definition(
        name="latency",
        title="Latency",
        summary="Mean seconds until a user's answer is complete.",
        formula="end of the answer − its sending, of the attempt that counts",
        direction="lower",
        unit="s",
        bounds=(0.0, None),
        needs_cutoff=False,
        on="answers",
        degenerate=f"{_COUNTED} Exchanges without an answer do not count; users without any answer are"
        " excluded and counted (unanswered), and those whose answers were not timed one by one (not-timed):"
        " answers of a batch share one time, and recorded ones have none.",
        source="This project; the timestamps are those of the records.",
        traps="It holds for one machine, one network and the load of this run. Waiting for a free place and"
        " earlier attempts are no part of it. Answers that never came do not slow it down: read answer_rate"
        " beside it. What came from the cache keeps the time that it took when it was asked.",
    )
)
def latency(answers: Answers) -> UnitScores:
    """Seconds of each unit's answers."""
    came = _ANSWERED[answers.statuses]
    timed = came & np.isfinite(answers.seconds)
    found = answers.mean(np.where(timed, answers.seconds, 0.0), timed, "not-timed")
    nothing = (np.bincount(answers.units[came], minlength=answers.n) == 0) & (
        np.bincount(answers.units, minlength=answers.n) > 0
    )
    reasons = dict(found.reasons)
    if nothing.any():
        reasons |= {"unanswered": nothing, "not-timed": reasons["not-timed"] & ~nothing}
    return UnitScores(values=found.values, reasons={name: m for name, m in reasons.items() if m.any()})


@define(
    Definition(
        name="list_length",
        title="List length",
        summary="Mean number of items that the list holds, unknown and repeated ones included.",
        formula="filled slots in the first k",
        degenerate="A user without an answer is excluded and counted (unanswered). An empty list is 0 long.",
        source="This project.",
        direction="none",
        unit="items",
        bounds=(0.0, None),
        traps="short says how much of the room a list leaves empty, which differs between users.",
    )
)
def list_length(lists: RankedLists, *, k: int) -> UnitScores:
    """Filled slots."""
    return UnitScores(
        values=np.minimum(lists.lengths, k).astype(np.float64), reasons={"unanswered": ~lists.answered}
    )
