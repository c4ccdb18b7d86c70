"""From stored records to texts: joined to the cases by id, apart by repeat and step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.arrays import Int32, Vocabulary
from genrec_eval.scenarios.ranking.records import (
    ANSWERED,
    NOT_ATTEMPTED,
    USABLE,
    Mask,
    rows_of,
    status_codes,
)


@dataclass(slots=True)
class Written:
    """What one model wrote for n cases in one repeat.

    Attributes
    ----------
    asked
        bool[n], cases that were asked for the plain brief.
    texts
        Step → n texts; None where there is none.
    contexts
        Step → n tuples of passages that the model says it wrote from.
    token_logprobs
        n tuples of log-probabilities that the model gave the tokens of its text for the plain brief.
    statuses
        Step → int32[n], codes of :data:`~genrec_eval.protocol.status.CODES`; not attempted where never asked.
    """

    asked: Mask
    texts: dict[int, list[str | None]] = field(default_factory=dict)
    contexts: dict[int, list[tuple[str, ...] | None]] = field(default_factory=dict)
    token_logprobs: list[tuple[float, ...] | None] = field(default_factory=list)
    statuses: dict[int, Int32] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Records:
    """The texts of all repeats, and which cases were asked and answered at all."""

    repeats: dict[int, Written]
    attempted: Mask
    answered: Mask


def read_texts(cases: pa.Table, records: Iterable[pa.RecordBatch]) -> Records:
    """Read the records of one model.

    Raises
    ------
    UsageError
        When a record belongs to no case, or a case has two of one repeat and step.
    """
    n = len(cases)
    known = Vocabulary(cases.column("case"))
    repeats: dict[int, Written] = {}
    attempted, answered = np.zeros(n, bool), np.zeros(n, bool)
    seen: set[tuple[int, int, int]] = set()
    for batch in records:
        rows, codes = rows_of(known, batch), status_codes(batch)
        texts = batch.column("text").to_pylist()
        answers = batch.column("response") if "response" in batch.schema.names else None
        places = zip(*(_whole(batch, name) for name in ("repeat", "step")), strict=True)
        for at, (row, code, text, (repeat, step)) in enumerate(
            zip(rows.tolist(), codes.tolist(), texts, places, strict=True)
        ):
            if (row, repeat, step) in seen:
                raise UsageError(
                    f"case '{known.ids[row].as_py()}' has two records of repeat {repeat}, step {step}:"
                    " the run directory is damaged; run again with --fresh"
                )
            seen.add((row, repeat, step))
            if code == NOT_ATTEMPTED:
                continue
            written = repeats.setdefault(repeat, Written(np.zeros(n, bool)))
            attempted[row] = True
            if step not in written.statuses:
                written.statuses[step] = np.full(n, NOT_ATTEMPTED, np.int32)
            written.statuses[step][row] = code
            if step == 0:
                written.asked[row] = True
                answered[row] |= ANSWERED[code]
            if USABLE[code] and text is not None:
                written.texts.setdefault(step, [None] * n)[row] = text
                said = {} if answers is None else _said(answers[at])
                if (passages := _passages(said.get("contexts"))) is not None:
                    written.contexts.setdefault(step, [None] * n)[row] = passages
                if step == 0 and (logs := _logprobs(said.get("logprobs"))) is not None:
                    written.token_logprobs = written.token_logprobs or [None] * n
                    written.token_logprobs[row] = logs
    return Records(dict(sorted(repeats.items())), attempted, answered)


def _whole(batch: pa.RecordBatch, name: str) -> list[int]:
    if name not in batch.schema.names:
        return [0] * batch.num_rows
    found: list[int] = batch.column(name).fill_null(0).to_pylist()
    return found


def _said(response: Any) -> dict[str, Any]:
    """What an answer holds beside its text; most hold nothing of the kind."""
    wire = response.as_py()
    if wire is None or not ('"contexts"' in wire or '"logprobs"' in wire):
        return {}
    found = orjson.loads(wire)
    return found if isinstance(found, dict) else {}


def _passages(given: Any) -> tuple[str, ...] | None:
    """What a retrieval-augmented model says it wrote from."""
    return tuple(map(str, given)) if isinstance(given, list) else None


def _logprobs(given: Any) -> tuple[float, ...] | None:
    """Log-probability of each token, as :func:`genrec_eval.protocol.wire.response_to_wire` writes them."""
    return tuple(float(token[1]) for token in given) if isinstance(given, list) else None
