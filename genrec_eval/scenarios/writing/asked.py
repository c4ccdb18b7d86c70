"""What play needs to know of the data: how to read a first text, so as to vary the brief."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from genrec_eval.metrics.explanations.reader import Reader
from genrec_eval.metrics.explanations.source import Source
from genrec_eval.protocol.brief import Brief, ItemFacts
from genrec_eval.scenarios.base import Prepared
from genrec_eval.scenarios.writing.score import counterfactual, facts_of


@dataclass(frozen=True, slots=True)
class Asked:
    """Reads texts exactly as scoring does: what was asked can be worked out again from the records."""

    catalogue: Mapping[str, ItemFacts]
    reader: Reader

    @classmethod
    def of(cls, prepared: Prepared) -> Asked:
        """From the context tables."""
        items = [facts_of(text) for text in prepared.context["items"].column("facts").to_pylist()]
        vocabulary = tuple(prepared.context["vocabulary"].column("feature").to_pylist())
        return cls({item.id: item for item in items}, Reader(items, vocabulary))

    def counterfactual(self, brief: Brief, text: str) -> Brief | None:
        """The brief without the first thing that ``text`` cites."""
        return counterfactual(self.reader.read(text), Source(brief, self.catalogue, self.reader.genres))
