"""A small language model of reviews: which word follows which two."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, PositiveInt

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.protocol.brief import Brief
from genrec_eval.reference.writing import evidence
from genrec_eval.reference.writing.base import Draw, Writer, Written
from genrec_eval.reference.writing.phrases import named, one_line

if TYPE_CHECKING:
    import pyarrow as pa

_SENTENCE = re.compile(r"[^.!?]+[.!?]*")
_TOKEN = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_ASPECT, _END = "<aspect>", "<end>"
_LONGEST = 30
_TRIES = 20


class NgramOptions(StrictModel):
    """Options of ``ngram-writer``."""

    order: int = Field(3, ge=2, le=6, description="Words that are looked at together, the next included.")
    reviews: PositiveInt = Field(20_000, description="Most reviews that it learns from, evenly picked.")


class NgramWriter(Writer):
    """Writes word by word as training reviews do, about an aspect and for or against it.

    It learns sentences in which a reviewer praises or criticises one aspect, two models for the two, with the
    aspect as a blank; sentences with numbers or names in them are left out, so that nothing of the catalogue
    and nobody's name can come up. Of the brief it takes the title, and which aspects to speak of and how: as
    the majority of the item's reviews does, or, where the brief holds none, with praise for what the user
    praised before, which is a guess. A baseline for judges and metrics of language: fluent by the clause, no
    more.
    """

    name = "ngram-writer"
    version: ClassVar[int] = 1
    learns: ClassVar[bool] = True
    Options = NgramOptions

    def fit(self) -> None:
        """Count.

        Raises
        ------
        UsageError
            When the training holds no reviews that praise and criticise aspects by name.
        """
        assert self.training is not None
        table = self.training.reviews
        needed = {"text", "positive", "negative"}
        if table is None or not needed <= set(table.column_names):
            raise UsageError(
                f"reference model '{self.name}' learns from reviews with the aspects that they praise and"
                f" criticise, but the training data of '{self.training.dataset}' hold none; the data set"
                " 'synthetic' has them with reviews: 0.5"
            )
        self.models, self.aspects = _learnt(table, self.options)
        if not all(self.models.values()):
            raise UsageError(
                f"reference model '{self.name}' learns from reviews, but the training data of"
                f" '{self.training.dataset}' hold no sentence of praise or none of criticism"
            )

    def write(self, brief: Brief, repeat: int = 0) -> Written:
        """See :meth:`Writer.write`."""
        draw = self.draw(brief, repeat, "ngram writer")
        said = [
            self._sentence(aspect, glad, draw)
            for aspect, glad in _topics(brief, self.aspects, 2 if brief.task == "explain" else 3)
        ]
        return Written(f"{named(brief.item)}: {' '.join(said)}")

    def _sentence(self, aspect: str, glad: bool, draw: Draw) -> str:
        model, back = self.models[glad], self.options.order - 1
        words: list[str] = []
        for _ in range(_TRIES):
            words = [""] * back
            while len(words) < back + _LONGEST:
                word = draw.pick(model[tuple(words[-back:])])
                if word == _END:
                    break
                words.append(word)
            words = words[back:]
            if words.count(_ASPECT) == 1:
                break
        else:
            words = ["The", _ASPECT, "is", "strong" if glad else "weak", "."]
        text = " ".join(one_line(aspect) if word == _ASPECT else word for word in words)
        text = re.sub(r" ([.,:;!?])", r"\1", text)
        return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def _topics(brief: Brief, known: list[str], most: int) -> list[tuple[str, bool]]:
    leaning = evidence.leanings(brief)
    found = [
        (tally.aspect, tally.praise >= tally.blame)
        for tally in sorted(evidence.tallies(brief.reviews), key=lambda tally: -leaning[tally.aspect])
    ]
    if not found:
        found = [(aspect, True) for aspect, count in leaning.most_common() if count > 0]
    return (found or [(known[0], True)])[:most]


def _learnt(table: pa.Table, options: Any) -> tuple[dict[bool, dict[tuple[str, ...], list[str]]], list[str]]:
    """Contexts → the words that followed, each as often as it did; and the aspects, most frequent first."""
    import numpy as np

    rows = np.linspace(0, len(table) - 1, min(len(table), options.reviews)).astype(np.int64)
    picked = table.select(["text", "positive", "negative"]).take(rows).to_pylist()
    counts = Counter(a for row in picked for name in ("positive", "negative") for a in row[name] or ())
    aspects = [aspect for aspect, _ in counts.most_common()]
    models: dict[bool, dict[tuple[str, ...], list[str]]] = {True: {}, False: {}}
    back = options.order - 1
    for row in picked:
        for match in _SENTENCE.finditer(row["text"] or ""):
            words = _TOKEN.findall(match[0])
            about = [at for at, word in enumerate(words) if word in counts]
            if len(about) != 1 or not _plain(words):
                continue
            aspect = words[about[0]]
            glad = aspect in (row["positive"] or ())
            if glad == (aspect in (row["negative"] or ())):
                continue
            words[about[0]] = _ASPECT
            padded = [""] * back + words[:_LONGEST] + [_END]
            for at in range(back, len(padded)):
                models[glad].setdefault(tuple(padded[at - back : at]), []).append(padded[at])
    return models, aspects


def _plain(words: list[str]) -> bool:
    """No digit, no word with a capital but the first and "I"."""
    return not any(
        any(letter.isdigit() for letter in word) or (place and word != "I" and word[:1].isupper())
        for place, word in enumerate(words)
    )
