"""Score lists chunk by chunk under many metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.metrics.lists import RankedLists


def score_lists(metrics: Sequence[Metric], chunks: Iterable[RankedLists]) -> dict[str, UnitScores]:
    """Score every user of every chunk under every metric.

    Parameters
    ----------
    metrics
        Metrics over ranked lists.
    chunks
        Consecutive users; the lists of one chunk are in memory at a time. How users are cut into
        chunks changes nothing.

    Returns
    -------
    dict
        Metric id → scores of all users in the order in which they came.
    """
    streams = {metric.id: metric.start() for metric in metrics}
    for lists in chunks:
        for stream in streams.values():
            stream.update(lists)
    return {name: stream.finish() for name, stream in streams.items()}
