"""Which units can be compared with their references, and why the others cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np

from genrec_eval.metrics.base import Bool
from genrec_eval.metrics.text.texts import NO_REFERENCE, NO_TEXT, NO_TOKEN, Texts
from genrec_eval.protocol.arrays import Float64

Combine = Callable[[Float64, Mapping[str, Any]], Float64]

LEFT_OUT = (
    "No text: left out (no-text). No reference: left out (no-reference). References in which the tokenizer"
    " finds no token: left out (no-token), whatever the text, so that the same units are scored for every"
    " model; of several references those with a token are used."
)
DEGENERATE = (
    LEFT_OUT + " A text without a token (empty, or in a script that the tokenizer does not know) against a"
    " reference with one: 0."
)


class Comparable(NamedTuple):
    """A unit that can be scored."""

    row: int
    text: str
    references: tuple[str, ...]


def comparable(texts: Texts, has_token: Callable[[str], object]) -> tuple[list[Comparable], dict[str, Bool]]:
    """Units with a text and a reference in which there is a token, and why the others have no score."""
    missing, unreferenced = texts.missing, texts.unreferenced
    tokenless = np.zeros(len(texts), bool)
    units = []
    for row in np.flatnonzero(~missing & ~unreferenced).tolist():
        text, given = texts.texts[row], texts.references[row]
        assert text is not None
        if usable := tuple(one for one in given if has_token(one)):
            units.append(Comparable(row, text, usable))
        else:
            tokenless[row] = True
    return units, reasons({NO_TEXT: missing, NO_REFERENCE: unreferenced, NO_TOKEN: tokenless})


def reasons(masks: dict[str, Bool]) -> dict[str, Bool]:
    """Those that apply to any unit."""
    return {name: mask for name, mask in masks.items() if mask.any()}


def mean_sums(values: Float64) -> Float64:
    """float64[n, 2], what :func:`mean_of_sums` takes: for a metric that has a corpus form too."""
    return np.column_stack([values, np.ones(len(values))])


def mean_of_sums(sums: Float64) -> Float64:
    """The mean over units of added :func:`mean_sums`; NaN over none.

    >>> float(mean_of_sums(mean_sums(np.array([10.0, 20.0])).sum(0)))
    15.0
    """
    shape = sums.shape[:-1]
    return np.divide(sums[..., 0], sums[..., 1], out=np.full(shape, np.nan), where=sums[..., 1] > 0)


LEVELS = ("corpus", ("corpus", "sentence"))
LEVELS_MEANING = "corpus: one score from added counts; sentence: mean of the scores of the texts"


def by_level(corpus: Combine) -> Combine:
    """The value of a metric with the parameter ``level``: ``corpus`` of added counts, or a mean of texts."""

    def combine(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
        return mean_of_sums(sums) if parameters["level"] == "sentence" else corpus(sums, parameters)

    return combine


def library(*names: str) -> str:
    """Name and version of what is installed, for a definition's source.

    >>> library("sacrebleu").split()[0]
    'sacrebleu'
    """
    return ", ".join(f"{name} {version(name)}" for name in names)
