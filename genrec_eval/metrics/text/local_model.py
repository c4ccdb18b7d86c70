"""Models on this disk as a metric's parameter: a folder of safetensors, and the digest of what is in it."""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path
from typing import Any, ClassVar

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.fingerprint import digest_file
from genrec_eval.core.huggingface import need
from genrec_eval.core.registry import beside_suite

DIGEST = 12
"""Hex digits of a folder's digest that a spelling gives."""
_PARTS = frozenset({".json", ".model", ".safetensors", ".txt"})


class ModelName(str):
    """What a metric's parameter ``model`` says: a word of the metric, or ``PATH#DIGEST``.

    Whoever reads a number learns from its definition which weights it rests on, and a run's definitions can
    be read where the model is not: the folder is looked at only when a text is scored, or to tell a suite's
    author the digest that is missing.

    Raises
    ------
    UsageError
        When there is no digest.
    """

    words: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, text: str) -> ModelName:
        path, _, digest = text.rpartition("#")
        if text not in cls.words and not (path and re.fullmatch(rf"[0-9a-f]{{{DIGEST}}}", digest)):
            raise UsageError(cls._refused(text))
        return super().__new__(cls, text)

    @classmethod
    def _refused(cls, text: str) -> str:
        path = text.partition("#")[0]
        folder = beside_suite(path)
        if path and folder.is_dir():
            found = folder_digest(folder)
            return f"names the folder of a model without its digest: write model={path}#{found}"
        known = ", ".join(cls.words)
        return (
            f"is one of {known}, or the folder of a model with its digest, as in"
            f" models/small#{'0' * DIGEST}; '{text}' is neither{did_you_mean(text, cls.words)}"
        )

    @property
    def path(self) -> Path:
        """The folder, beside the suite."""
        return beside_suite(self.rpartition("#")[0])

    @property
    def digest(self) -> str:
        """What :func:`folder_digest` must give."""
        return self.rpartition("#")[2]

    def folder(self) -> Path:
        """The folder, after a look at what is in it.

        Raises
        ------
        UsageError
            When it is not there, another model lies in it, or its weights are pickled.
        """
        path, _, digest = self.rpartition("#")
        folder = self.path
        if not folder.is_dir():
            raise UsageError(f"model '{path}': no such folder: {folder}")
        if not any(folder.glob("*.safetensors")):
            raise UsageError(
                f"model '{path}' holds no *.safetensors; pickled weights are never loaded, since they can run"
                " code: save it again with save_pretrained(..., safe_serialization=True)"
            )
        found = folder_digest(folder)
        if found != digest:
            raise UsageError(
                f"model '{path}' is not the one that the metric names: its digest is {found}, not {digest}"
            )
        return folder


def folder_digest(folder: Path) -> str:
    """SHA-256 over names and bytes of weights, configuration and tokenizer, shortened."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in _PARTS)
    parts = []
    for path in files:
        stat = path.stat()
        parts.append((path.relative_to(folder).as_posix(), _digest(path, stat.st_size, stat.st_mtime_ns)))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:DIGEST]


@functools.lru_cache(maxsize=1024)
def _digest(path: Path, size: int, changed: int) -> str:
    return digest_file(path)


def load(kind: str, folder: Path, what: str) -> tuple[Any, Any]:
    """Tokenizer and model of a folder, from this disk alone and without code of its own.

    Parameters
    ----------
    kind
        ``"AutoModel"`` or ``"AutoModelForCausalLM"`` of transformers.
    what
        Who needs it, for sentences.

    Raises
    ------
    UsageError
        When the extra is not installed or the folder cannot be read.
    """
    need(what, "sentences", "torch", "transformers")
    import torch
    import transformers
    from transformers.utils import logging

    quiet, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        local = {"local_files_only": True, "trust_remote_code": False}
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder), **local)
        model = getattr(transformers, kind).from_pretrained(
            str(folder), use_safetensors=True, dtype=torch.float32, **local
        )
    except Exception as error:  # a stranger's files: whatever they raise, the sentence says where
        said = " ".join(str(error).split())[:200]
        raise UsageError(f"{what}: the model in {folder} cannot be loaded: {said}") from error
    finally:
        logging.set_verbosity(quiet)
        if bars:
            logging.enable_progress_bar()
    return tokenizer, model.eval()


def window_of(tokenizer: Any, model: Any) -> int | None:
    """Most tokens that a model reads at once; None where it does not say."""
    config = model.config
    known = [getattr(config, name, None) for name in ("max_position_embeddings", "n_positions")]
    known.append(tokenizer.model_max_length)
    # tokenizers without a limit say 1e30
    limits = [int(one) for one in known if isinstance(one, int | float) and 0 < one < 1 << 30]
    return min(limits, default=None)
