"""BERTScore: tokens of a text and of its reference matched by the embeddings they have in their sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Bool, Definition, UnitScores, define
from genrec_eval.metrics.text.comparing import DEGENERATE, comparable
from genrec_eval.metrics.text.embedded import MODEL_MEANING, remark_cut
from genrec_eval.metrics.text.sentence_model import MINILM, MINILM_SOURCE, SentenceEncoder, SentenceModel
from genrec_eval.metrics.text.texts import Texts
from genrec_eval.protocol.arrays import Float64, Int64

_PAIRS = 64
"""Pairs embedded at a time."""


def matched(model: SentenceModel, pairs: list[tuple[str, str]], layer: int) -> Float64:
    """float64[n, 3], precision, recall and F of each pair of text and reference.

    Precision is the mean over the text's tokens of the greatest cosine with any token of the reference,
    recall the mean over the reference's tokens with any of the text. As in bert-score, special tokens
    (begin, end) can be matched with and are not averaged over.
    """
    import torch

    first = model.lengths([text for text, _ in pairs])
    second = model.lengths([reference for _, reference in pairs])
    found = np.zeros((len(pairs), 3))
    order = np.argsort(-np.maximum(first, second), kind="stable")
    for at in range(0, len(order), _PAIRS):
        rows = order[at : at + _PAIRS]
        sides = [
            _tokens(model, [pairs[row][side] for row in rows.tolist()], lengths[rows], layer)
            for side, lengths in ((0, first), (1, second))
        ]
        (left, own, any_left), (right, wanted, any_right) = sides
        alike = torch.bmm(left, right.transpose(1, 2))
        best_left = alike.masked_fill(any_right[:, None, :] == 0, -2.0).amax(2)
        best_right = alike.masked_fill(any_left[:, :, None] == 0, -2.0).amax(1)
        precision = ((best_left * own).sum(1) / own.sum(1)).double().numpy()
        recall = ((best_right * wanted).sum(1) / wanted.sum(1)).double().numpy()
        precision, recall = np.minimum(precision, 1.0), np.minimum(recall, 1.0)  # of float32 products
        both = precision + recall
        f = np.divide(2 * precision * recall, both, out=np.zeros(len(rows)), where=both > 0)
        found[rows] = np.stack([precision, recall, f], axis=1)
    return found


def _tokens(model: SentenceModel, texts: list[str], lengths: Int64, layer: int) -> tuple[Any, Any, Any]:
    """Unit embeddings of tokens, padded: [b, t, d]; which are the text's own; which are there at all."""
    import torch

    parts = list(model.hidden(texts, lengths, model.token_window, layer))
    width, depth = max(hidden.shape[1] for _, hidden, _, _ in parts), parts[0][1].shape[2]
    states = torch.zeros((len(texts), width, depth))
    own, seen = torch.zeros((len(texts), width)), torch.zeros((len(texts), width))
    for rows, hidden, mine, there in parts:
        wide = hidden.shape[1]
        states[rows, :wide] = hidden / hidden.norm(dim=2, keepdim=True).clamp_min(1e-12)
        own[rows, :wide], seen[rows, :wide] = mine.float(), there.float()
    return states, own, seen


def _check(parameters: Mapping[str, Any]) -> str | None:
    baseline = parameters["baseline"]
    return None if baseline < 1 else f"baseline is below 1, not {baseline:g}"


@define(
    Definition(
        name="bertscore",
        title="BERTScore",
        summary="Tokens of a text and of its reference matched greedily by their embeddings in context.",
        formula="P: mean over the text's tokens of the greatest cosine with a token of the reference; R: the"
        " other way round; F = 2PR / (P + R); (score − baseline) / (1 − baseline); mean over texts of the"
        " best over references. Texts are cut off at what the model reads (minilm: 512 tokens)",
        degenerate=f"{DEGENERATE} That 0 is before the baseline is taken off.",
        source=f"Zhang et al. 2020, as bert-score 0.3.13 without idf; {MINILM_SOURCE}.",
        direction="higher",
        bounds=(None, 1.0),
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        check=_check,
        parameters={
            "measure": ("f", ("f", "p", "r")),
            "model": (SentenceEncoder(MINILM), None),
            "layer": (-1, None),
            "baseline": (0.0, None),
        },
        meanings={
            "measure": "precision, recall or F",
            "model": MODEL_MEANING,
            "layer": "whose embeddings: −1 the last, 0 what goes into the first",
            "baseline": "what unrelated texts score with this model, layer and measure, measured by you:"
            " it becomes 0; 0 leaves scores as they are. None is built in or looked up",
        },
        traps="Not comparable between models, layers or baselines; published figures are of RoBERTa-large,"
        " some rescaled and some not. High for fluent texts with wrong facts: models with F of 0.81–0.90 had"
        " 4 to 33 % of their statements right (Kabongo & Guigue 2025).",
    )
)
def bertscore(
    texts: Texts, *, measure: str, model: SentenceEncoder, layer: int, baseline: float
) -> UnitScores:
    """Precision, recall or F of each text with the reference that fits best."""
    loaded = model.loaded("metric 'bertscore'")
    layer = loaded.layer(layer)
    found, why = texts.kept(("bertscore", str(model), layer), lambda: _found(texts, loaded, layer))
    values = found[:, "prf".index(measure)]
    return UnitScores(values=(values - baseline) / (1 - baseline), reasons=why)


def _found(texts: Texts, model: SentenceModel, layer: int) -> tuple[Float64, dict[str, Bool]]:
    """float64[n, 3] and why texts have none; each measure is that of the reference for which it is best."""
    given = list(
        dict.fromkeys(
            [
                *(text for text in texts.texts if text is not None),
                *(one for references in texts.references for one in references),
            ]
        )
    )
    lengths = dict(zip(given, model.lengths(given).tolist(), strict=True))
    units, why = comparable(texts, lambda text: lengths[text] > 0)
    pairs: dict[tuple[str, str], int] = {}
    at = [
        (unit.row, pairs.setdefault((unit.text, one), len(pairs)))
        for unit in units
        if lengths[unit.text]
        for one in unit.references
    ]
    found = np.full((len(texts), 3), -np.inf)
    if at:
        rows, of = np.array(at).T
        np.maximum.at(found, rows, matched(model, list(pairs), layer)[of])
    remark_cut(texts, model.name, model.token_window, lengths, model.room(model.token_window))
    return np.where(np.isfinite(found), found, 0.0), why
