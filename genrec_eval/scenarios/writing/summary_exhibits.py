"""What judges may see of summaries: the reviews, and what they come to in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import pyarrow as pa

from genrec_eval.judging.types import Exhibit
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.reviewed import Reviewed, reviewed_of
from genrec_eval.scenarios.writing import exhibits as plain
from genrec_eval.scenarios.writing.score import Cases

HEADING = "What the reviews come to:"


def exhibits(
    cases: pa.Table,
    context: Mapping[str, pa.Table],
    records: Iterable[pa.RecordBatch],
    instruction: str | None = None,
) -> Iterator[Exhibit]:
    """One exhibit per case and repeat; the counts are the reference, and part of the facts too."""
    told = in_words(cases, context)
    for one in plain.exhibits(cases, records, instruction):
        counts = told[one.case]
        facts = one.context if not counts else f"{one.context}\n\n{HEADING}\n{counts}"
        yield replace(one, context=facts, reference=counts or None)


def in_words(cases: pa.Table, context: Mapping[str, pa.Table]) -> dict[str, str]:
    """Case → a sentence for every opinion that its reviews hold, the most mentioned aspect first."""
    asked = Cases.of(cases, context)
    nothing: list[str | None] = [None] * len(cases)
    found = reviewed_of(Explanations(texts=nothing, briefs=asked.briefs, catalogue=asked.catalogue))
    return dict(zip(cases.column("case").to_pylist(), map(_told, found), strict=True))


def _told(reviewed: Reviewed) -> str:
    lines = []
    total = len(reviewed.held)
    for aspect, mentions in sorted(reviewed.mentions.items(), key=lambda pair: (-pair[1], pair[0])):
        sides = [(reviewed.counts.get((aspect, glad), 0), glad) for glad in (True, False)]
        for count, glad in sorted(sides, key=lambda side: -side[0]):
            if count:
                word = "find" if count > 1 else "finds"
                lines.append(
                    f"{count} of the {total} reviews {word} the {aspect} {'strong' if glad else 'weak'}"
                    f" ({mentions} speak of it)."
                )
    return "\n".join(" ".join(line.split()) for line in lines)
