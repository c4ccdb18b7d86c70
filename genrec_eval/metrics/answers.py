"""How often there is an answer, and how long the list is: for groups of users above all."""

from __future__ import annotations

from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.slots import required
from genrec_eval.protocol.status import CODES, FAILED, UNANSWERED, Status

_SHARED: dict[str, Any] = {
    "unit": "share",
    "values": "indicator",
    "needs_cutoff": False,
    "degenerate": "Every user who was asked counts; where a user was asked several times, the mean is taken.",
    "source": "This project; the statuses are those that the coverage of a run counts.",
}

_REFUSED = np.array([status is Status.REFUSED for status in CODES])
_UNREADABLE = np.array([status in FAILED - UNANSWERED for status in CODES])


@define(
    Definition(
        name="answer_rate",
        title="Answered",
        summary="Share of users who got an answer at all.",
        formula="1 if an answer came (also a refusal, or one that could not be read), else 0",
        direction="higher",
        traps="An answer is no list: see refusal_rate and parse_failure_rate.",
        **_SHARED,
    )
)
def answer_rate(lists: RankedLists) -> UnitScores:
    """Whether there was an answer."""
    return UnitScores(values=lists.answered.astype(np.float64))


@define(
    Definition(
        name="refusal_rate",
        title="Refused",
        summary="Share of users whom the model declined to answer.",
        formula="1 if the status of the answer is refused, else 0",
        direction="lower",
        needs=("statuses",),
        traps="A refusal in the words of a list is none: it counts by what could be read from it.",
        **_SHARED,
    )
)
def refusal_rate(lists: RankedLists) -> UnitScores:
    """Whether the model declined."""
    statuses = required(lists.statuses, "statuses", "refusal_rate")
    return UnitScores(values=_REFUSED[statuses].astype(np.float64))


@define(
    Definition(
        name="parse_failure_rate",
        title="Unreadable",
        summary="Share of users to whose question something came that was no readable answer.",
        formula="1 if the status is unparsed, invalid or oversized, else 0",
        direction="lower",
        needs=("statuses",),
        traps="No answer at all is no unreadable one: see answer_rate.",
        **_SHARED,
    )
)
def parse_failure_rate(lists: RankedLists) -> UnitScores:
    """Whether the answer could not be read."""
    statuses = required(lists.statuses, "statuses", "parse_failure_rate")
    return UnitScores(values=_UNREADABLE[statuses].astype(np.float64))


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
