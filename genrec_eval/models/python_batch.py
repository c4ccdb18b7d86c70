"""Python code that ranks for many users in one call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from genrec_eval.models.check import Malformed
from genrec_eval.models.check_batch import check_batch, encode_ids, failed
from genrec_eval.models.python import describe
from genrec_eval.protocol.arrays import PAD
from genrec_eval.protocol.batch import RankBatch, RankedBatch
from genrec_eval.protocol.model import BatchModel
from genrec_eval.protocol.status import Status


class PythonBatchModel(BatchModel):
    """Calls ``function(batch)``.

    The function takes a :class:`~genrec_eval.protocol.batch.RankBatch` and returns a RankedBatch,
    an integer array [n, width] of catalogue codes (-1 after the end of a list), or n lists of ids.
    What it raises, or returns in the wrong shape, is the answer to every user of the batch.

    Attributes
    ----------
    remark
        Why answers cannot be reused by later runs; None when they can.
    """

    def __init__(
        self,
        function: Callable[[RankBatch], Any],
        identity: Mapping[str, Any],
        *,
        source: Path | None = None,
        remark: str | None = None,
    ) -> None:
        self.remark = remark
        self._function = function
        self._identity = {**identity, "batch": True}
        self._source = source

    def identity(self) -> dict[str, Any]:
        """Target, options, digest of the source, and of the training data when it was fitted."""
        return dict(self._identity)

    def rank(self, batch: RankBatch) -> RankedBatch:
        """Call the function once for all users of the batch."""
        try:
            result = self._function(batch)
            if inspect.isawaitable(result):
                raise TypeError("a batch function must not be async")
        except (Exception, SystemExit) as error:
            return failed(len(batch), Status.ERROR, describe(error, self._source))
        try:
            return check_batch(batch, _ranked(batch, result))
        except Malformed as error:
            return failed(len(batch), error.status, str(error))
        except Exception as error:  # arrays of strange types, a stranger's __len__
            return failed(len(batch), Status.INVALID, f"the answer cannot be read: {describe(error)}")


def _ranked(batch: RankBatch, result: Any) -> RankedBatch:
    if isinstance(result, RankedBatch):
        return result
    if isinstance(result, np.ndarray):
        return RankedBatch(items=result)
    if not isinstance(result, list | tuple):
        raise Malformed(
            f"the answer is a {type(result).__name__}, not a RankedBatch, an array or lists of ids"
        )
    if len(result) != len(batch):
        raise Malformed(f"the answer holds {len(result)} lists for {len(batch)} users")
    try:
        lists = pa.array([row.tolist() if isinstance(row, np.ndarray) else row for row in result])
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise Malformed(f"the lists do not hold ids of one type: {error}") from None
    if not (pa.types.is_list(lists.type) or pa.types.is_null(lists.type)):
        raise Malformed(f"the answer is a list of {lists.type}, not a list of lists of ids")
    if lists.null_count:
        raise Malformed("a user's list is None")
    if pa.types.is_null(lists.type.value_type) and len(lists.values) == 0:
        return RankedBatch(items=np.full((len(batch), 1), PAD, np.int32))
    if lists.values.null_count:
        raise Malformed("a list holds None; ids are strings or integers")
    codes, unknown = encode_ids(lists.values, batch.items)
    lengths = np.diff(lists.offsets.to_numpy())
    items = np.full((len(batch), max(1, int(lengths.max(initial=0)))), PAD, np.int32)
    items[np.arange(items.shape[1]) < lengths[:, None]] = codes
    return RankedBatch(items=items, unknown=unknown)
