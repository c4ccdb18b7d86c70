"""What judges may see of written texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from genrec_eval.judging.types import Exhibit
from genrec_eval.protocol.brief import Brief
from genrec_eval.scenarios.writing.asking import BRIEF, request_of
from genrec_eval.scenarios.writing.texts import read_texts


def exhibits(
    cases: pa.Table, records: Iterable[pa.RecordBatch], instruction: str | None = None
) -> Iterator[Exhibit]:
    """One exhibit per case and repeat, of the plain brief: its variants serve metrics alone.

    The facts are the context, and the task without them the prompt; a judge is not shown the brief twice.
    """
    read = read_texts(cases, records)
    names = cases.column_names
    columns = [cases.column(name).to_pylist() for name in ("case", "unit", "brief")]
    references = cases.column("reference").to_pylist() if "reference" in names else [None] * len(cases)
    for row, (case, unit, text, reference) in enumerate(zip(*columns, references, strict=True)):
        brief = Brief.from_json(text)
        facts = brief.text(None)
        if instruction is None:
            prompt = request_of(brief).messages[0].content.partition(facts)[0].strip()
        else:
            prompt = instruction.replace(BRIEF, "", 1).strip()
        for repeat, written in read.repeats.items() or ((0, None),):
            answer = None if written is None or 0 not in written.texts else written.texts[0][row]
            yield Exhibit(
                case=case,
                unit=unit,
                prompt=prompt,
                answer=answer,
                repeat=repeat,
                reference=reference,
                context=facts,
            )
