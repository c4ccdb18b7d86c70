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
_SHARE = 0.2
"""Share of the reviews on an aspect below which an opinion is no part of a reference."""


def exhibits(
    cases: pa.Table,
    context: Mapping[str, pa.Table],
    records: Iterable[pa.RecordBatch],
    instruction: str | None = None,
) -> Iterator[Exhibit]:
    """One exhibit per case and repeat: counts stand below the facts, and in words they are the reference."""
    asked = Cases.of(cases, context)
    nothing: list[str | None] = [None] * len(cases)
    found = reviewed_of(Explanations(texts=nothing, briefs=asked.briefs, catalogue=asked.catalogue))
    told = dict(zip(cases.column("case").to_pylist(), found, strict=True))
    for one in plain.exhibits(cases, records, instruction):
        reviewed = told[one.case]
        if not reviewed.mentions:
            yield one
            continue
        facts = f"{one.context}\n\n{HEADING}\n{counted(reviewed)}"
        yield replace(one, context=facts, reference=in_words(reviewed))


def counted(reviewed: Reviewed) -> str:
    """A line for every aspect, the most mentioned first.

    >>> counted(Reviewed.of([frozenset([("acting", True)]), frozenset([("acting", False)])]))
    'acting: praised by 1 and criticised by 1 of 2 reviews'
    """
    lines = []
    for aspect in _by_mentions(reviewed):
        praise, blame = (reviewed.counts.get((aspect, glad), 0) for glad in (True, False))
        lines.append(
            f"{_line(aspect)}: praised by {praise} and criticised by {blame} of {len(reviewed.held)} reviews"
        )
    return "\n".join(lines)


def in_words(reviewed: Reviewed) -> str:
    """A sentence for every opinion that is more than that of single people, as a reference.

    >>> print(in_words(Reviewed.of([frozenset([("acting", True)])] * 3 + [frozenset([("acting", False)])])))
    Of those who speak of the acting, most find it strong.
    Of those who speak of the acting, a minority finds it weak.
    """
    lines = []
    for aspect in _by_mentions(reviewed):
        for glad in sorted((True, False), key=lambda side: -reviewed.share((aspect, side))):
            share = reviewed.share((aspect, glad))
            if share < _SHARE:
                continue
            who = "most find" if share > 0.5 else "half find" if share == 0.5 else "a minority finds"
            word = "strong" if glad else "weak"
            lines.append(f"Of those who speak of the {_line(aspect)}, {who} it {word}.")
    return "\n".join(lines)


def _by_mentions(reviewed: Reviewed) -> list[str]:
    return sorted(reviewed.mentions, key=lambda aspect: (-reviewed.mentions[aspect], aspect))


def _line(text: str) -> str:
    return " ".join(text.split())
