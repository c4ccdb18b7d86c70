"""What metrics of explanations and summaries work on: texts beside the facts they were to be written from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Bool
from genrec_eval.metrics.text.texts import Texts
from genrec_eval.protocol.brief import Brief, ItemFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanations(Texts):
    """Explanations (or summaries) of n cases of one model.

    Attributes
    ----------
    briefs
        n, the facts of each case.
    catalogue
        Every item, by id: what texts may name beside the brief.
    features
        n target features (the aspect or attribute that the reference is about); None where unknown.
    vocabulary
        All features that texts are searched for.
    ratings
        n, the user's own rating of the item, held out; None where unknown.
    variants
        Name of a variant (``paraphrase``, ``without_cited``, ...) → n texts that the model gave to the varied
        brief; None where it was not asked or gave none.
    varied
        Name of a variant → n briefs that were put in it.
    contexts
        n tuples of passages that a retrieval-augmented model says it wrote from; None where it says nothing.
    """

    briefs: Sequence[Brief] = ()
    catalogue: Mapping[str, ItemFacts] = field(default_factory=dict)
    features: Sequence[str | None] = ()
    vocabulary: tuple[str, ...] = ()
    ratings: Sequence[float | None] = ()
    variants: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    varied: Mapping[str, Sequence[Brief | None]] = field(default_factory=dict)
    contexts: Sequence[tuple[str, ...] | None] = ()

    def prompt(self, row: int) -> str | None:
        """The brief in its usual words, where nothing else is said."""
        return self.prompts[row] if self.prompts else self.briefs[row].text()

    def where(self, mask: Bool) -> Explanations:
        """The cases of ``mask``."""
        if mask.all():  # and what was worked out so far stays known
            return self
        rows = np.flatnonzero(mask).tolist()

        def some(values: Sequence[Any]) -> list[Any]:
            return [values[row] for row in rows] if len(values) else []

        return replace(
            self,
            texts=some(self.texts),
            references=some(self.references),
            token_logprobs=some(self.token_logprobs),
            prompts=some(self.prompts),
            briefs=some(self.briefs),
            features=some(self.features),
            ratings=some(self.ratings),
            variants={name: some(texts) for name, texts in self.variants.items()},
            varied={name: some(briefs) for name, briefs in self.varied.items()},
            contexts=some(self.contexts),
        )
