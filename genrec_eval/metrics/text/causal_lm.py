"""How likely texts are to a causal language model on this disk, in windows that overlap."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.text.local_model import load, window_of
from genrec_eval.protocol.arrays import Float64, Int64

_LOGITS = 1 << 26
"""Logits computed at a time: 256 MB."""
_USUAL_WINDOW = 1024


class _Window(NamedTuple):
    row: int
    ids: list[int]
    scored: int
    """The last so many tokens are scored here, each of them only here."""


class CausalModel:
    """A tokenizer and a model that says how likely each next token is.

    Parameters
    ----------
    tokenizer, model
        Of transformers.
    name
        For sentences.

    Raises
    ------
    UsageError
        When the tokenizer has no token that begins a text: the first word could not be scored.
    """

    def __init__(self, tokenizer: Any, model: Any, name: str) -> None:
        self.tokenizer, self.model, self.name = tokenizer, model, name
        self.limit = window_of(tokenizer, model)
        begins = [getattr(tokenizer, f"{kind}_token_id", None) for kind in ("bos", "cls", "eos")]
        known = [one for one in begins if one is not None]
        if not known:
            raise UsageError(f"model '{name}' has no token that begins a text (bos, cls or eos)")
        self.begin: int = known[0]

    def window(self, wanted: int) -> int:
        """The window to use; 0 asks for the model's own."""
        if wanted and self.limit is not None and wanted > self.limit:
            raise UsageError(f"model '{self.name}' reads {self.limit} tokens at once, not {wanted}")
        return wanted or self.limit or _USUAL_WINDOW

    def score(
        self, texts: Sequence[str], prompts: Sequence[str | None], *, window: int, stride: int
    ) -> tuple[Float64, Int64]:
        """Negative log-probability (nats) and number of tokens of each text.

        A sequence is the beginning token, the prompt's tokens, the text's tokens. Only the text's are scored,
        each once; no end is. The first window holds as much as fits, each further one moves on by
        ``stride`` tokens and scores only those, after at least ``window`` − ``stride`` others. Of a prompt
        the last ``window`` // 2 tokens are used.

        Parameters
        ----------
        window
            Tokens read at once; 0 for the model's own limit.
        stride
            From 1 to ``window`` − 1; 0 for half the window.
        """
        window = self.window(window)
        stride = stride or max(window // 2, 1)
        if not 1 <= stride < window:
            raise UsageError(
                f"model '{self.name}': stride is from 1 to {window - 1} (window − 1), not {stride}"
            )
        counts = np.zeros(len(texts), np.int64)
        windows: list[_Window] = []
        for row, (text, prompt) in enumerate(zip(texts, prompts, strict=True)):
            own = self._ids(text)
            before = [self.begin, *self._ids(prompt or "")[-(window // 2) :]]
            counts[row] = len(own)
            windows += _windows(row, before, own, window, stride)
        surprise = np.zeros(len(texts))
        windows.sort(key=lambda one: -len(one.ids))
        at = 0
        while at < len(windows):
            longest = len(windows[at].ids)
            size = max(1, _LOGITS // (longest * int(self.model.config.vocab_size)))
            part = windows[at : at + min(size, 64)]
            np.add.at(surprise, [one.row for one in part], self._surprise(part))
            at += len(part)
        return surprise, counts

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return list(ids)

    def _surprise(self, part: list[_Window]) -> Float64:
        import torch

        longest = max(len(one.ids) for one in part)
        ids = torch.zeros((len(part), longest), dtype=torch.long)
        seen = torch.zeros_like(ids)
        for row, one in enumerate(part):
            ids[row, : len(one.ids)] = torch.tensor(one.ids)
            seen[row, : len(one.ids)] = 1
        with torch.inference_mode():
            logits = self.model(input_ids=ids, attention_mask=seen).logits
            found = []
            for row, one in enumerate(part):
                end = len(one.ids)
                of = logits[row, end - one.scored - 1 : end - 1].float()
                wanted = ids[row, end - one.scored : end]
                logs = torch.log_softmax(of, dim=-1).gather(1, wanted[:, None])
                found.append(-float(logs.double().sum()))
        return np.array(found)


def _windows(row: int, before: list[int], own: list[int], window: int, stride: int) -> list[_Window]:
    """Windows of one text; ``before`` fits into the first with room for at least one token."""
    ids = before + own
    done, start = len(before), 0
    found = []
    while done < len(ids):
        end = min(start + window, len(ids))
        found.append(_Window(row, ids[start:end], end - done))
        done, start = end, start + stride
    return found


@functools.lru_cache(maxsize=1)
def causal_model(folder: Path, digest: str, what: str) -> CausalModel:
    """The model of a folder, kept while it is the only one asked for."""
    return CausalModel(*load("AutoModelForCausalLM", folder, what), folder.name)
