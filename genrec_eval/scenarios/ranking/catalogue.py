"""The context table ``items`` of ranking scenarios, and the catalogue that metrics read from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.splits.popular import first_seen
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.protocol.arrays import Ragged, distinct_of

if TYPE_CHECKING:
    from genrec_eval.data.splits.split import Split
    from genrec_eval.scenarios.ranking.options import RankingOptions


def item_table(dataset: Dataset, split: Split, options: RankingOptions) -> pa.Table:
    """What scoring needs of the items, so that it never goes back to the data.

    Columns: ``item``, ``train_count``, ``train_users``, ``test_count``, and where the data has them
    ``first_seen``, ``title``, ``attributes`` (list of strings), ``provider``, ``embedding``, ``semantic_id``.
    The schema's metadata holds the number of training users.
    """
    train, n = split.training.interactions, len(dataset.items)
    pairs = distinct_of(train.user.astype(np.int64) * max(n, 1) + train.item)
    columns: dict[str, Any] = {
        "item": dataset.items.ids,
        "train_count": np.bincount(train.item, minlength=n).astype(np.int64),
        "train_users": np.bincount(pairs % max(n, 1), minlength=n).astype(np.int64),
        "test_count": np.bincount(split.held_out.item, minlength=n).astype(np.int64),
    }
    if dataset.interactions.timestamp is not None:
        columns["first_seen"] = first_seen(dataset.interactions, n)
    described = dataset.item_table
    for column, name in (
        ("title", "title"),
        ("attributes", options.attributes),
        ("provider", options.providers),
        ("embedding", "embedding"),
        ("semantic_id", "semantic_id"),
    ):
        if name in described.column_names:
            columns[column] = _typed(dataset, column, name)
        elif name not in ("genres", "provider", column):
            known = described.column_names[1:]
            raise UsageError(
                f"the items of data set '{dataset.name}' have no column '{name}'{did_you_mean(name, known)}"
                f" (columns: {', '.join(known) or 'none'})"
            )
    users = np.count_nonzero(np.bincount(train.user))
    metadata = {"train_users": str(users)}
    if options.provider_targets:
        metadata["provider_targets"] = json.dumps(options.provider_targets)
    return pa.table(columns).replace_schema_metadata(metadata)


def _typed(dataset: Dataset, column: str, name: str) -> pa.Array:
    values = dataset.item_table.column(name).combine_chunks()
    wanted = {
        "attributes": pa.list_(pa.string()),
        "semantic_id": pa.list_(pa.string()),
        "embedding": pa.list_(pa.float32()),
    }.get(column, pa.string())
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    if pa.types.is_string(values.type):  # a blank names no provider and no attribute
        blank = pc.equal(pc.utf8_trim_whitespace(values), "")
        values = pc.if_else(blank, pa.scalar(None, values.type), values)
    if column == "attributes" and pa.types.is_string(values.type):
        offsets = np.concatenate([[0], np.cumsum(values.is_valid().to_numpy(zero_copy_only=False))])
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values.drop_null())
    try:
        return values.cast(wanted)
    except pa.ArrowException:
        raise UsageError(
            f"the column '{name}' of the items of data set '{dataset.name}' holds {values.type}, "
            f"where {wanted} is needed"
        ) from None


def catalogue_of(items: pa.Table) -> Catalogue:
    """What metrics may know of the items, from the stored table."""
    names = items.column_names
    facts: dict[str, Any] = {
        name: items.column(column).to_numpy()
        for name, column in (("train_users", "train_users"), ("test_counts", "test_count"))
        if column in names
    }
    if "first_seen" in names:
        facts["first_seen"] = items.column("first_seen").to_numpy()
    if "attributes" in names:
        facts["attributes"], facts["attribute_names"] = _coded_lists(items.column("attributes"))
    if "provider" in names:
        coded = items.column("provider").combine_chunks().dictionary_encode()
        facts["providers"] = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
        facts["provider_names"] = coded.dictionary.to_pylist()
    if "embedding" in names:
        facts["embeddings"] = _matrix(items.column("embedding"))
    if "semantic_id" in names:
        facts["ambiguous"] = ambiguous(items.column("semantic_id"))
    metadata: Mapping[bytes, bytes] = items.schema.metadata or {}
    if b"provider_targets" in metadata:
        facts["provider_targets"] = json.loads(metadata[b"provider_targets"])
    return Catalogue(
        train_counts=items.column("train_count").to_numpy(),
        n_users=int(metadata.get(b"train_users", b"0")),
        **facts,
    )


def spelled(semantic_ids: pa.ChunkedArray) -> pa.Array:
    """Each item's tokens as one string; null where there are none."""
    joined = pc.binary_join(semantic_ids.combine_chunks(), "")
    return pc.if_else(pc.equal(pc.binary_length(joined), 0), pa.scalar(None, pa.string()), joined)


def ambiguous(semantic_ids: pa.ChunkedArray) -> np.ndarray:
    """bool[n], items that share their semantic id with another."""
    coded = spelled(semantic_ids).dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    counts = np.bincount(codes[codes >= 0], minlength=len(coded.dictionary) + 1)
    shared: np.ndarray = (counts[codes] > 1) & (codes >= 0)
    return shared


def _coded_lists(column: pa.ChunkedArray) -> tuple[Ragged, list[str]]:
    """Distinct codes per list, and their names in alphabetical order."""
    lists = column.combine_chunks().fill_null([])
    flat = lists.flatten()
    names = pc.unique(flat.drop_null()).sort()
    codes = pc.index_in(flat, value_set=names).fill_null(-1).to_numpy(zero_copy_only=False)
    rows = np.repeat(np.arange(len(lists)), pc.list_value_length(lists).to_numpy(zero_copy_only=False))
    keys = distinct_of(rows[codes >= 0] * np.int64(max(len(names), 1)) + codes[codes >= 0])
    rows, codes = keys // max(len(names), 1), keys % max(len(names), 1)
    return Ragged.group(rows, codes.astype(np.int32), len(lists)), names.to_pylist()


def _matrix(column: pa.ChunkedArray) -> np.ndarray:
    """float32[n, d]; an item without an embedding has zeros."""
    lists = column.combine_chunks()
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    wide = int(lengths.max(initial=0))
    if not np.isin(lengths, (0, wide)).all():
        raise UsageError("the embeddings of the items have different lengths")
    matrix = np.zeros((len(lists), wide), np.float32)
    matrix[lengths == wide] = lists.flatten().to_numpy(zero_copy_only=False).reshape(-1, wide)
    return matrix
