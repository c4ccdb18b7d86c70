"""Perplexity and bits per byte: how likely texts are to a language model, pooled over all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from genrec_eval.metrics.base import Bool, Definition, UnitScores, define
from genrec_eval.metrics.text.comparing import reasons
from genrec_eval.metrics.text.local_model import ModelName
from genrec_eval.metrics.text.texts import NO_TEXT, NO_TOKEN, Texts
from genrec_eval.metrics.text.tokens import unicode_words
from genrec_eval.protocol.arrays import Float64, Int64

NO_LOGPROBS = "no-logprobs"
"""Reason: the model gave no log-probabilities with its text."""
BROKEN_LOGPROBS = "broken-logprobs"
"""Reason: a log-probability is above 0, no number, or what services write where they know none (−9999)."""
NO_CORPUS = "no-corpus"
"""Reason: there is nothing that the n-gram model could learn from."""
NO_PROMPT = "no-prompt"
"""Reason: what the text answers is not known."""

_UNKNOWN = -9999.0
_GREATEST = 700.0
"""e to this power is still a number; what is less likely is shown as that."""


class LanguageModel(ModelName):
    """``ngram``, ``endpoint`` or ``PATH#DIGEST``."""

    words: ClassVar[tuple[str, ...]] = ("ngram", "endpoint")


@dataclass(frozen=True, slots=True)
class Surprise:
    """Negative log-probability (nats) and tokens of each text, and why some have none."""

    nats: Float64
    tokens: Int64
    reasons: dict[str, Bool]


def _check(parameters: Mapping[str, Any]) -> str | None:
    model, window, stride = (parameters[name] for name in ("model", "window", "stride"))
    if model in model.words and (window or stride or parameters["given"] != "nothing"):
        return f"window, stride and given are for a model on disk, not for model={model}"
    for name, least in (("window", 2), ("stride", 1)):
        if parameters[name] and parameters[name] < least:
            return f"{name} is at least {least}, not {parameters[name]}"
    return None


def surprise(texts: Texts, model: LanguageModel, given: str, window: int, stride: int, what: str) -> Surprise:
    """How unlikely each text is to the model.

    Raises
    ------
    UsageError
        When the model cannot be loaded.
    """
    key = ("surprise", str(model), given, window, stride)
    if model == "endpoint":
        return texts.kept(key, lambda: _of_endpoint(texts))
    if model == "ngram":
        return texts.kept(key, lambda: _of_ngrams(texts))
    return texts.kept(key, lambda: _of_folder(texts, model, given == "prompt", window, stride, what))


def _placed(rows: list[int], n: int, nats: Float64, tokens: Int64, why: dict[str, Bool]) -> Surprise:
    found = Surprise(np.zeros(n), np.zeros(n, np.int64), why)
    found.nats[rows], found.tokens[rows] = nats, tokens
    return found


def _of_ngrams(texts: Texts) -> Surprise:
    from genrec_eval.metrics.text.ngram_model import NgramModel

    missing = texts.missing
    if not any(texts.corpus):
        return _placed([], len(texts), np.empty(0), np.empty(0, np.int64), {NO_CORPUS: ~missing})
    rows = np.flatnonzero(~missing).tolist()
    scored = NgramModel([text for text in texts.corpus if text]).score(
        [texts.texts[row] or "" for row in rows]
    )
    return _placed(rows, len(texts), *scored, {})


def _of_endpoint(texts: Texts) -> Surprise:
    n, missing = len(texts), texts.missing
    given = texts.token_logprobs or [None] * n
    absent, broken = np.zeros(n, bool), np.zeros(n, bool)
    nats, tokens = np.zeros(n), np.zeros(n, np.int64)
    for row in np.flatnonzero(~missing).tolist():
        logs = np.array(given[row] or (), np.float64)
        if not len(logs) and (given[row] is None or texts.texts[row]):
            absent[row] = True
        elif not (np.isfinite(logs) & (logs <= 1e-6) & (logs > _UNKNOWN)).all():
            broken[row] = True
        else:
            nats[row], tokens[row] = -np.minimum(logs, 0.0).sum(), len(logs)
    return Surprise(nats, tokens, {NO_LOGPROBS: absent, BROKEN_LOGPROBS: broken})


def _of_folder(
    texts: Texts, model: LanguageModel, prompted: bool, window: int, stride: int, what: str
) -> Surprise:
    from genrec_eval.metrics.text.causal_lm import causal_model

    missing = texts.missing
    prompts = [texts.prompt(row) if prompted else None for row in range(len(texts))]
    unknown = ~missing & np.array([prompted and prompt is None for prompt in prompts], bool)
    rows = np.flatnonzero(~missing & ~unknown).tolist()
    loaded = causal_model(model.folder(), model.digest, what)
    scored = loaded.score(
        [texts.texts[row] or "" for row in rows],
        [prompts[row] for row in rows],
        window=window,
        stride=stride,
    )
    return _placed(rows, len(texts), *scored, {NO_PROMPT: unknown})


def _units(texts: Texts, found: Surprise, per: str) -> Float64:
    """How much each text has of what the surprise is divided by."""
    if per == "token":
        return found.tokens.astype(np.float64)
    measure = {
        "word": lambda text: len(unicode_words(text)),
        "byte": lambda text: len(text.encode("utf-8", "surrogatepass")),
    }[per]
    return texts.kept(
        ("amount", per), lambda: np.array([measure(text or "") for text in texts.texts], np.float64)
    )


def _rated(
    texts: Texts, per: str, model: LanguageModel, given: str, window: int, stride: int, what: str
) -> tuple[Float64, Float64, dict[str, Bool]]:
    """Nats, units and reasons of each text."""
    found = surprise(texts, model, given, window, stride, what)
    units = _units(texts, found, per)
    missing = texts.missing
    nothing = ~missing & (units == 0)
    for mask in found.reasons.values():
        nothing &= ~mask
    return found.nats, units, reasons({NO_TEXT: missing, **found.reasons, NO_TOKEN: nothing})


def _power(mean: Float64) -> Float64:
    return np.exp(np.minimum(mean, _GREATEST))


def _combine(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    nats, units = sums[..., 0], sums[..., 1]
    return _power(np.divide(nats, units, out=np.full(nats.shape, np.nan), where=units > 0))


_PARAMETERS: dict[str, tuple[Any, tuple[Any, ...] | None]] = {
    "model": (LanguageModel("ngram"), None),
    "given": ("nothing", ("nothing", "prompt")),
    "window": (0, None),
    "stride": (0, None),
}
_MEANINGS = {
    "model": "ngram: the suite's own, interpolated Kneser–Ney of word trigrams with bytes for unknown words,"
    " learnt from what people wrote in the scenario's cases (references, and reviews that briefs show;"
    " through `evaluate` the references); its end of text counts as a token. endpoint: the log-probabilities"
    " that the model under test gave its own tokens, after its prompt. PATH#DIGEST: a causal model of"
    " transformers in a folder, safetensors only; its tokens after a beginning token, no end",
    "given": "of a model on disk: prompt puts what the text answers before it, read and not scored",
    "window": "tokens that a model on disk reads at once; 0: its own limit",
    "stride": "by how many tokens each further window moves on; only those are scored in it, so that each"
    " token is scored once; 0: half the window",
}
_DEGENERATE = (
    "No text: left out (no-text). Nothing to divide by (an empty text; one without a word): left out"
    " (no-token). Without log-probabilities from the model: left out (no-logprobs), and with one that is none"
    " (broken-logprobs); no other source stands in. Nothing to learn from: no-corpus. No known prompt under"
    " given=prompt: no-prompt."
)


@define(
    Definition(
        name="perplexity",
        title="Perplexity",
        summary="How unlikely the texts are to a language model, per word, token or byte.",
        formula=(
            "exp(sum of −ln p over all tokens of all texts / number of words, tokens or bytes of all texts);"
            " never a mean of the texts' perplexities. A text alone: the same over its own, at most e^700"
        ),
        degenerate=_DEGENERATE,
        source="Jelinek et al. 1977; Chen & Goodman 1999; strided windows as in the documentation of"
        " transformers; word_perplexity and byte_perplexity of EleutherAI's harness.",
        direction="lower",
        bounds=(1.0, None),
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        check=_check,
        parameters={"per": ("word", ("token", "word", "byte")), **_PARAMETERS},
        meanings={
            "per": "word: per run of letters and digits of any script; token: per token of the model,"
            " comparable for one tokenizer only; byte: per byte of UTF-8",
            **_MEANINGS,
        },
        traps="Comparable for one model only, and per token for one tokenizer. Low is not good in itself: one"
        " constant text, or one that quotes the corpus, is the least surprising of all. Endpoint figures say"
        " how sure a model is of its own words, not how good they are. The n-gram model knows its corpus'"
        " words only: values of many thousands say no more than that a text is unlike it.",
        combine=_combine,
    )
)
def perplexity(
    texts: Texts, *, per: str, model: LanguageModel, given: str, window: int, stride: int
) -> UnitScores:
    """Surprise and units per text, and the perplexity of each text.

    >>> from genrec_eval.metrics.registry import metric
    >>> texts = Texts(texts=["two words"], token_logprobs=[(-1.0, -0.5, -0.5)])
    >>> float(metric("perplexity(model=endpoint)")(texts).values[0].round(6))  # exp(2 / 2)
    2.718282
    """
    nats, units, why = _rated(texts, per, model, given, window, stride, "metric 'perplexity'")
    alone = np.divide(nats, units, out=np.zeros(len(units)), where=units > 0)
    return UnitScores(values=_power(alone), reasons=why, sums=np.column_stack([nats, units]))


@define(
    Definition(
        name="bits_per_byte",
        title="Bits per byte",
        summary="How unlikely the texts are to a language model, in bits per byte of UTF-8.",
        formula="sum of −log2 p over all tokens of all texts / bytes of all texts, a mean weighted by bytes",
        degenerate=_DEGENERATE,
        source="Gao et al. 2021 (The Pile).",
        direction="lower",
        bounds=(0.0, None),
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        check=_check,
        parameters=_PARAMETERS,
        meanings=_MEANINGS,
        traps="The form in which models with different tokenizers can be compared, on the same texts. Scripts"
        " differ in bytes per letter. Low is not good in itself: see perplexity. A tokenizer that drops part"
        " of the text (case, accents, blanks) makes it too low.",
    )
)
def bits_per_byte(texts: Texts, *, model: LanguageModel, given: str, window: int, stride: int) -> UnitScores:
    """Bits per byte of each text, weighted by its bytes.

    >>> from genrec_eval.metrics.registry import metric
    >>> texts = Texts(texts=["abcd"], token_logprobs=[(-4.0,)])
    >>> float(metric("bits_per_byte(model=endpoint)")(texts).values[0].round(6))  # 1 / ln 2
    1.442695
    """
    nats, size, why = _rated(texts, "byte", model, given, window, stride, "metric 'bits_per_byte'")
    bits = np.divide(nats, size * math.log(2), out=np.zeros(len(size)), where=size > 0)
    return UnitScores(values=bits, reasons=why, weights=size)
