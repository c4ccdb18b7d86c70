"""Written texts beside the facts that they were checked against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from genrec_eval.metrics.explanations.checking import check
from genrec_eval.metrics.explanations.cited import cited
from genrec_eval.metrics.explanations.evidence import shown
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.flags import flags
from genrec_eval.metrics.explanations.found import reader_of, readings_of, source_of
from genrec_eval.metrics.explanations.mentions import Reading
from genrec_eval.metrics.explanations.reader import Reader
from genrec_eval.metrics.explanations.source import Source
from genrec_eval.protocol.brief import Brief
from genrec_eval.scenarios.evidence import Evidence, Mark, Variant
from genrec_eval.scenarios.writing.asking import PARAPHRASE, WITHOUT_CITED, spelled, steps_of
from genrec_eval.scenarios.writing.opinion_marks import opinion_marks, unheard
from genrec_eval.scenarios.writing.score import Cases
from genrec_eval.scenarios.writing.texts import Written, read_texts


class Shown:
    """Reads texts exactly as scoring does, for a few cases at a time.

    Parameters
    ----------
    context
        Tables that scoring needs beside the cases.
    """

    def __init__(self, context: Mapping[str, pa.Table]) -> None:
        self.context = context
        self._reader: Reader | None = None

    def evidence(
        self,
        cases: pa.Table,
        records: Iterable[pa.RecordBatch],
        variants: Sequence[str] = (),
        told: Sequence[tuple[str, str]] = (),
    ) -> Iterator[Evidence]:
        """Each text of the cases, by repeat, with its marks."""
        asked = Cases.of(cases, self.context)
        for repeat, written in read_texts(cases, records).repeats.items():
            explanations = asked.explanations(written)
            if self._reader is None:
                self._reader = reader_of(explanations)
            explanations.cache["reader"] = self._reader
            for row in np.flatnonzero(written.asked).tolist():
                yield _evidence(asked, explanations, row, repeat, written, variants, told)


def _marks(explanations: Explanations, row: int) -> list[Mark]:
    """The claims of a text, and what else speaks against it."""
    reading, source = _read(explanations, row)
    if reading is None:
        return []
    found = [
        Mark(start=one.start, end=one.end, kind=one.kind, verdict=str(one.verdict), evidence=one.evidence)
        for one in check(reading, source)
    ]
    if source.brief.task == "summarise":
        found += opinion_marks(explanations, row)
    found += [Mark(start=f.start, end=f.end, kind=f.kind, evidence=f.said) for f in flags(reading, source)]
    return found


def _read(explanations: Explanations, row: int) -> tuple[Reading | None, Source]:
    return readings_of(explanations)[row], source_of(explanations, explanations.briefs[row])


def _evidence(
    asked: Cases,
    explanations: Explanations,
    row: int,
    repeat: int,
    written: Written,
    variants: Sequence[str],
    told: Sequence[tuple[str, str]],
) -> Evidence:
    brief = explanations.briefs[row]
    again = []
    disclosed = {spelled(*one): _told(asked, row, *one) for one in told}
    for name, step in steps_of(variants, told).items():
        text = written.texts.get(step, [None] * len(asked.briefs))[row]
        if (said := disclosed.get(name) or _asked(name, explanations, row)) is not None:
            again.append(Variant(asked=said, text=text))
    return Evidence(
        case=str(asked.column("case")[row]),
        unit=str(asked.column("unit")[row]),
        about=_about(brief),
        text=explanations.texts[row],
        repeat=repeat,
        marks=tuple(_marks(explanations, row)),
        facts=brief.text(None),
        reference=asked.column("reference")[row],
        missing=unheard(explanations, row) if brief.task == "summarise" else (),
        variants=tuple(again),
    )


def _about(brief: Brief) -> str:
    return f"{shown(brief.item)} for {brief.user}" if brief.user else shown(brief.item)


def _told(asked: Cases, row: int, attribute: str, value: str) -> str:
    """How a disclosure was asked, and whether it is known to be true."""
    own = asked.column(f"own.{attribute}")[row]
    said = "" if own is None else ", the user's own" if own == value else f", though the user's is {own}"
    return f"asked again with {attribute} disclosed as {value}{said}"


def _asked(variant: str, explanations: Explanations, row: int) -> str | None:
    """How a variant was asked; None where there was nothing to ask."""
    if variant == PARAPHRASE:
        return "asked again in other words"
    if variant != WITHOUT_CITED:
        return f"asked again: {variant}"
    reading, source = _read(explanations, row)
    if reading is None:
        return None
    items, words = cited(reading, source).first
    names = [shown(source.history[item].item) for item in items] + list(words)
    return f"asked again without what the text cites: {', '.join(names)}" if names else None
