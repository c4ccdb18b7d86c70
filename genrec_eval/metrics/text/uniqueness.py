"""How alike the texts of a run are: unique sentence ratio, and the share of the commonest opening."""

from __future__ import annotations

import numpy as np

from genrec_eval.metrics.base import Accumulator, Bool, Definition, UnitScores, define
from genrec_eval.metrics.spelling import at_least
from genrec_eval.metrics.text.comparing import reasons
from genrec_eval.metrics.text.texts import NO_TEXT, Texts
from genrec_eval.metrics.text.tokens import TOKENIZERS, TOKENS_MEANING, tokenized
from genrec_eval.protocol.arrays import Float64, Int64


class _Groups(Accumulator):
    """Texts of a run by the tokens they begin with."""

    def __init__(self, *, tokens: str, words: int | None = None) -> None:
        self.tokens, self.words = tokens, words
        self.known: dict[str, int] = {}
        self.groups: list[int] = []
        self.missing: list[Bool] = []

    def update(self, texts: Texts) -> None:
        """Number the beginnings of the next texts."""
        self.missing.append(texts.missing)
        for words in tokenized(texts, self.tokens):
            if words is not None:
                # no tokenizer leaves a blank inside a token
                self.groups.append(self.known.setdefault(" ".join(words[: self.words]), len(self.known)))

    def without(self, group: Int64, sizes: Int64) -> tuple[float, Float64]:
        """What is counted of all texts, and without each."""
        raise NotImplementedError

    def finish(self) -> UnitScores:
        """Share of the run, and what it would lose without each text."""
        absent = np.concatenate([np.empty(0, bool), *self.missing])
        group = np.array(self.groups, np.int64)
        n = len(group)
        if not n:
            return UnitScores(
                values=np.zeros(len(absent)), total=0.0, reach=0.0, reasons=reasons({NO_TEXT: absent})
            )
        count, left = self.without(group, np.bincount(group))
        values = np.zeros(len(absent))
        values[~absent] = count / n - left / (n - 1) if n > 1 else 0.0
        return UnitScores(values=values, total=count / n, reach=1 / n, reasons=reasons({NO_TEXT: absent}))


@define(
    Definition(
        name="usr",
        title="USR",
        summary="Unique sentence ratio: share of different texts among all texts of the run.",
        formula="distinct texts / texts; two texts are the same when their tokens are",
        degenerate="No text: left out (no-text). An empty text is a text; two of them are the same.",
        source="Li, Zhang & Chen 2020 (NETE), 2021 (PETER), whose quadratic search a table replaces.",
        direction="higher",
        unit="share",
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        parameters={"tokens": ("whitespace", tuple(TOKENIZERS))},
        meanings={"tokens": f"whitespace is what is published; {TOKENS_MEANING}"},
        traps="1 for almost any language model, however alike its texts are: read opening_share, distinct and"
        " self_bleu beside it. Falls as texts get more.",
    )
)
class Usr(_Groups):
    """Unique sentence ratio; a text's score is what the run would lose without it."""

    def __init__(self, *, tokens: str) -> None:
        super().__init__(tokens=tokens)

    def without(self, group: Int64, sizes: Int64) -> tuple[float, Float64]:
        """Distinct texts."""
        return float(len(sizes)), (len(sizes) - (sizes[group] == 1)).astype(float)


@define(
    Definition(
        name="opening_share",
        title="Opening share",
        summary="Share of texts that open with the same words as most others do.",
        formula="texts whose first `words` tokens are the commonest / texts",
        degenerate="No text: left out (no-text). A shorter text opens with all it has, an empty one with"
        " nothing.",
        source="Template use of language models, which unique sentence ratio does not see; this suite.",
        direction="lower",
        unit="share",
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        parameters={"words": (3, None), "tokens": ("unicode", tuple(TOKENIZERS))},
        check=at_least(words=1),
        meanings={"words": "tokens that make the opening", "tokens": TOKENS_MEANING},
    )
)
class OpeningShare(_Groups):
    """Share of the commonest opening; a text's score is what the run would lose without it."""

    def __init__(self, *, words: int, tokens: str) -> None:
        super().__init__(tokens=tokens, words=words)

    def without(self, group: Int64, sizes: Int64) -> tuple[float, Float64]:
        """Texts of the largest group; without one of them another group may be the largest."""
        largest = int(sizes.argmax())
        second = int(np.delete(sizes, largest).max(initial=0))
        most = int(sizes[largest])
        return float(most), np.where(group == largest, max(most - 1, second), most).astype(float)
