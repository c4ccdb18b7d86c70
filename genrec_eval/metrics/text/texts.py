"""What metrics of text work on: generated texts beside their references."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from genrec_eval.metrics.base import Bool

NO_TEXT = "no-text"
"""Reason: the model gave no text for the unit."""
NO_REFERENCE = "no-reference"
"""Reason: there is nothing to compare the text with."""
NO_TOKEN = "no-token"
"""Reason: the tokenizer finds nothing in the references, or in a text that is measured by itself."""

TOO_LONG = "too-long"
"""Reason: work that grows with the product of two lengths would not end; each metric says from where on."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Texts of n units of one model.

    Attributes
    ----------
    texts
        n generated texts; None where the model gave none. An empty text is a text.
    references
        n tuples of reference texts; () where there is none.
    token_logprobs
        n tuples of natural log-probabilities, one per token, that the model itself gave its text; None where
        it gave none.
    prompts
        n requests that the texts answer; None where unknown. Read one through :meth:`prompt`.
    corpus
        What people wrote in like cases, for a language model to learn from; the same for every model that
        is compared.
    cache
        What metrics of one family share (tokens, counts), by key; read it through :meth:`kept`.
    """

    texts: Sequence[str | None]
    references: Sequence[tuple[str, ...]] = ()
    token_logprobs: Sequence[tuple[float, ...] | None] = ()
    prompts: Sequence[str | None] = ()
    corpus: Sequence[str] = ()
    cache: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def missing(self) -> Bool:
        """bool[n], units without a text."""
        return np.array([text is None for text in self.texts], bool)

    @property
    def unreferenced(self) -> Bool:
        """bool[n], units that have a text and no reference."""
        if not self.references:
            return ~self.missing
        none = np.array([not references for references in self.references], bool)
        return none & ~self.missing

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gives, computed once for these texts."""
        if key not in self.cache:
            self.cache[key] = make()
        found: T = self.cache[key]
        return found

    @property
    def remarks(self) -> dict[str, str]:
        """What metrics have to say of these texts as a whole, one sentence each, by what it is about."""
        return self.kept("remarks", dict)

    def prompt(self, row: int) -> str | None:
        """What the text of a unit answers; None where unknown."""
        return self.prompts[row] if self.prompts else None

    def where(self, mask: Bool) -> Texts:
        """The units of ``mask``."""
        rows = np.flatnonzero(mask).tolist()

        def some(values: Sequence[T]) -> Sequence[T]:
            return [values[row] for row in rows] if values else ()

        return replace(
            self,
            texts=some(self.texts),
            references=some(self.references),
            token_logprobs=some(self.token_logprobs),
            prompts=some(self.prompts),
        )
