"""What the records of a run say of some cases: read part by part, kept only where it is shown."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.audit.sources.run import RunSource
from genrec_eval.core.errors import UsageError
from genrec_eval.core.numbers import count
from genrec_eval.protocol.arrays import Vocabulary
from genrec_eval.protocol.status import CODES, Status
from genrec_eval.scenarios.ranking.records import rows_of, status_codes

Int8 = npt.NDArray[np.int8]

MOST_TEXT = 20_000
"""Characters of an answer that are kept."""

_COLUMNS = ("case", "repeat", "step", "status", "error", "items", "ratings", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One record, as it is shown."""

    status: str
    order: tuple[int, int]
    items: tuple[str, ...] = ()
    text: str | None = None
    error: str | None = None


@dataclass(slots=True)
class Kept:
    """Answers by case: those whose status is the case's."""

    by_case: dict[str, Answer] = field(default_factory=dict)

    def get(self, case: str) -> Answer:
        """The answer of a case; one that says that nothing was asked where there is no record."""
        return self.by_case.get(case) or Answer(status=str(Status.NOT_ATTEMPTED), order=(0, 0))


def statuses(source: RunSource, model: str, scenario: str, cases: Vocabulary) -> Int8:
    """int8[n], index into ``CODES`` of each case's status: that of most of its records.

    Of two that are as frequent it is the later in ``CODES``, so that a failure shows; a case without a record
    was not attempted.
    """
    counts = np.zeros((len(cases), len(CODES)), np.uint16)
    flat, seen = counts.reshape(-1), False
    for batch in source.directory.records(model, scenario, ["case", "status"]):
        seen = True
        rows = rows_of(cases, batch)
        np.add.at(flat, rows * len(CODES) + status_codes(batch), 1)
    if not seen and len(cases):
        raise UsageError(
            f"{source.label} is incomplete: the records of '{model}' in '{scenario}' are missing; run the"
            " suite again"
        )
    last = len(CODES) - 1
    found = (last - counts[:, ::-1].argmax(axis=1)).astype(np.int8)
    found[~counts.any(axis=1)] = CODES.index(Status.NOT_ATTEMPTED)
    return found


def answers(
    source: RunSource, model: str, scenario: str, wanted: Collection[str], status_of: dict[str, str]
) -> Kept:
    """The first record of each wanted case that has the status of the case.

    Parameters
    ----------
    status_of
        Case → its status, see :func:`statuses`.
    """
    kept = Kept()
    if not wanted:
        return kept
    ids = pa.array(sorted(wanted), pa.string())
    for batch in source.directory.records(model, scenario, list(_COLUMNS)):
        rows = np.flatnonzero(pc.is_in(batch.column("case"), value_set=ids).to_numpy(zero_copy_only=False))
        if not rows.size:
            continue
        for row in batch.take(pa.array(rows)).to_pylist():
            case = row["case"]
            order = (int(row["repeat"] or 0), int(row["step"] or 0))
            held = kept.by_case.get(case)
            if row["status"] != status_of.get(case) or (held is not None and held.order <= order):
                continue
            kept.by_case[case] = Answer(
                status=row["status"],
                order=order,
                items=tuple("—" if item is None else item for item in row["items"] or ()),
                text=_cut(_text(row["text"], row["ratings"])),
                error=_cut(row["error"]),
            )
    return kept


def _text(text: str | None, ratings: list[float | None] | None) -> str | None:
    if text is not None or not ratings:
        return text
    return ", ".join("—" if rating is None else f"{rating:g}" for rating in ratings)


def _cut(text: str | None) -> str | None:
    if text is None or len(text) <= MOST_TEXT:
        return text
    return f"{text[:MOST_TEXT]} [… {count(len(text) - MOST_TEXT)} more characters]"
