"""Scores of written texts: records to explanations, metrics of every repeat, then units."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.metrics.explanations.cited import cited
from genrec_eval.metrics.explanations.disclosures import NOT_ASKED as NEVER
from genrec_eval.metrics.explanations.disclosures import Disclosures, Told, each_alike
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.found import reader_of, readings_of, source_of
from genrec_eval.protocol.brief import Brief, ItemFacts
from genrec_eval.scenarios.base import ScoredUnits
from genrec_eval.scenarios.ranking.units import Units
from genrec_eval.scenarios.writing.asking import (
    PARAPHRASE,
    WITHOUT_CITED,
    disclosing,
    spelled,
    steps_of,
    without,
)
from genrec_eval.scenarios.writing.remark import remark
from genrec_eval.scenarios.writing.texts import Records, Written, read_texts
from genrec_eval.scenarios.writing.units import over_repeats, over_units

SWAPPED = "swapped"
"""Variant that nobody is asked: the brief of another case, with another user and another item."""
NOT_ATTEMPTED = "not-attempted"


def score(
    metrics: Sequence[Metric],
    variants: Sequence[str],
    cases: pa.Table,
    context: Mapping[str, pa.Table],
    records: Iterable[pa.RecordBatch],
    told: Sequence[tuple[str, str]] = (),
) -> ScoredUnits:
    """See :meth:`genrec_eval.scenarios.explanation.Explanation.score`."""
    read = read_texts(cases, records)
    units = Units.of(cases)
    asked = Cases.of(cases, context)
    found: dict[str, list[UnitScores]] = {metric.id: [] for metric in metrics}
    first: Explanations | None = None
    for written in read.repeats.values():
        rows = np.flatnonzero(written.asked)
        steps = steps_of(variants, told)
        every = asked.explanations(written, steps)
        explanations = every.where(written.asked)
        first = explanations if first is None else first
        disclosures = None
        if told:
            others = [other for other in read.repeats.values() if other is not written]
            disclosures = asked.disclosures(every, explanations, written, steps, told, others)
        for metric in metrics:
            scores = metric(disclosures if metric.definition.on == "disclosures" else explanations)
            found[metric.id].append(scores.place(rows, len(cases), NOT_ATTEMPTED))
    scored = {m.id: _scored(found[m.id], units) for m in metrics}
    for metric in metrics:
        if metric.definition.on == "disclosures":
            scored[metric.id] = each_alike(scored[metric.id])
    return ScoredUnits(
        units=units.ids,
        scores=scored,
        groups=units.groups(cases),
        attempted=units.any(read.attempted),
        answered=units.any(read.answered),
        remark=None if first is None else remark(first, scored),
    )


def _scored(repeats: list[UnitScores], units: Units) -> UnitScores:
    if not repeats:  # nothing was asked
        nothing = np.ones(len(units.ids), bool)
        return UnitScores(values=np.zeros(len(nothing)), reasons={NOT_ATTEMPTED: nothing})
    return over_units(over_repeats(repeats), units)


class Cases:
    """The case table and the context as metrics take them.

    Attributes
    ----------
    briefs
        One per case.
    catalogue
        Every item by id.
    embedded
        Texts that metrics embedded so far, of all repeats.
    """

    def __init__(
        self,
        cases: pa.Table,
        briefs: list[Brief],
        catalogue: dict[str, ItemFacts],
        vocabulary: tuple[str, ...],
    ) -> None:
        self.cases, self.briefs, self.catalogue, self.vocabulary = cases, briefs, catalogue, vocabulary
        self.embedded: dict[Any, Any] = {}

    @classmethod
    def of(cls, cases: pa.Table, context: Mapping[str, pa.Table]) -> Cases:
        """Read the tables."""
        facts = map(facts_of, context["items"].column("facts").to_pylist())
        vocabulary = context["vocabulary"].column("feature").to_pylist() if "vocabulary" in context else ()
        return cls(
            cases,
            [Brief.from_json(text) for text in cases.column("brief").to_pylist()],
            {item.id: item for item in facts},
            tuple(vocabulary),
        )

    def column(self, name: str) -> list[Any]:
        """A column of the case table; nothing known where it has none."""
        known = name in self.cases.column_names
        return self.cases.column(name).to_pylist() if known else [None] * len(self.cases)

    @cached_property
    def corpus(self) -> tuple[str, ...]:
        """What people wrote in these cases, asked or not: references, and the reviews that briefs show."""
        references = self.column("reference")
        reviews = (review.text for brief in self.briefs for review in brief.reviews)
        return tuple(dict.fromkeys(text for text in (*references, *reviews) if text))

    def explanations(self, written: Written, steps: Mapping[str, int] | None = None) -> Explanations:
        """The texts of one repeat beside their briefs, with the variants that were asked for.

        Parameters
        ----------
        steps
            Variant → step of its record; disclosures among them are no variants of the same facts.
        """
        nothing: list[str | None] = [None] * len(self.cases)
        steps = {name: step for name, step in (steps or {}).items() if name in (PARAPHRASE, WITHOUT_CITED)}
        plain = Explanations(
            texts=written.texts.get(0, nothing),
            references=[() if text is None else (text,) for text in self.column("reference")],
            briefs=self.briefs,
            catalogue=self.catalogue,
            features=self.column("feature"),
            vocabulary=self.vocabulary,
            ratings=self.column("rating"),
            variants={name: written.texts.get(step, nothing) for name, step in steps.items()},
            contexts=written.contexts.get(0, [None] * len(self.cases)),
            token_logprobs=written.token_logprobs,
            corpus=self.corpus,
        )
        varied: dict[str, Sequence[Brief | None]] = {SWAPPED: swapped(self.cases, self.briefs)}
        if PARAPHRASE in steps:
            varied[PARAPHRASE] = self.briefs
        if WITHOUT_CITED in steps:
            varied[WITHOUT_CITED] = [
                None if reading is None else counterfactual(reading, source_of(plain, brief))
                for reading, brief in zip(readings_of(plain), self.briefs, strict=True)
            ]
        full = replace(plain, varied=varied)
        full.cache.update(plain.cache)
        return full

    def disclosures(
        self,
        plain: Explanations,
        neutral: Explanations,
        written: Written,
        steps: Mapping[str, int],
        told: Sequence[tuple[str, str]],
        others: Sequence[Written] = (),
    ) -> Disclosures:
        """The texts of one repeat by what was disclosed, of the cases that were asked at all.

        Parameters
        ----------
        plain, neutral
            The texts where nothing was disclosed, of all cases and of those that were asked.
        others
            The other repeats.
        """
        n = len(self.cases)
        # a text that comes again is read once
        known = {"reader": reader_of(neutral), "read": neutral.kept("read", dict)}

        def of(step: int, texts: Explanations) -> Told:
            texts.cache.update(known)
            statuses = written.statuses.get(step, np.full(n, NEVER, np.int32))
            return Told(texts=texts, statuses=statuses[written.asked])

        found: dict[str, dict[str, Told]] = {}
        for attribute, value in told:
            step = steps[spelled(attribute, value)]
            texts = replace(
                plain,
                texts=written.texts.get(step, [None] * n),
                briefs=[disclosing(brief, attribute, value) for brief in self.briefs],
                variants={},
                varied={SWAPPED: plain.varied[SWAPPED]},
                contexts=written.contexts.get(step, [None] * n),
                token_logprobs=(),
            )
            found.setdefault(attribute, {})[value] = of(step, texts.where(written.asked))
        rows = np.flatnonzero(written.asked).tolist()
        plainly = [other.texts.get(0, [None] * n) for other in others]
        peers = [[texts[row] for row in rows] for texts in plainly]
        return Disclosures(neutral=of(0, neutral), told=found, peers=peers, embedded=self.embedded)


def counterfactual(reading: Any, source: Any) -> Brief | None:
    """The brief without the first thing that a text cites; None where it cites nothing."""
    items, words = cited(reading, source).first
    return without(source.brief, items, words) if items or words else None


def swapped(cases: pa.Table, briefs: Sequence[Brief]) -> list[Brief | None]:
    """For each case the brief of another: the next in an order by chance with another user and item."""
    ids = cases.column("case").to_pylist()
    order = sorted(range(len(ids)), key=lambda row: hashlib.sha256(ids[row].encode()).digest())
    found: list[Brief | None] = [None] * len(ids)
    for place, row in enumerate(order):
        for step in range(1, min(len(order), 200)):
            other = briefs[order[(place + step) % len(order)]]
            if other.user != briefs[row].user and other.item.id != briefs[row].item.id:
                found[row] = other
                break
    return found


def facts_of(text: str) -> ItemFacts:
    """One entry of the context table ``items``."""
    raw = json.loads(text)
    raw |= {name: tuple(raw[name]) for name in ("genres", "aliases")}
    raw["people"] = {role: tuple(names) for role, names in raw["people"].items()}
    return ItemFacts(**raw)


__all__ = ["Cases", "Records", "counterfactual", "score", "swapped"]
