"""Score lists chunk by chunk under many metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genrec_eval.metrics.base import Metric, Rows, UnitScores
from genrec_eval.metrics.lists import RankedLists


def score_lists(metrics: Sequence[Metric], chunks: Iterable[RankedLists]) -> dict[str, UnitScores]:
    """Score every user of every chunk under every metric.

    Parameters
    ----------
    metrics
        Metrics over ranked lists.
    chunks
        Consecutive users; the lists of one chunk are in memory at a time. How users are cut into
        chunks changes nothing. From :func:`~genrec_eval.metrics.fused.least_users` on, what can be computed
        by compiled code is, where numba is installed; that changes nothing either.

    Returns
    -------
    dict
        Metric id → scores of all lists in the order in which they came, before those of one user are made
        one: :meth:`~genrec_eval.metrics.base.Metric.settled` is what is left to do.
    """
    from genrec_eval.metrics import fused

    streams = {metric.id: metric.start() for metric in metrics}
    many, users = fused.Fused(metrics), 0
    for lists in chunks:
        users += len(lists)
        ready = many.scores(lists) if users >= fused.least_users() else {}
        if ready:
            lists.remembered.update(ready)
        for name, stream in streams.items():
            if name in ready and isinstance(stream, Rows):
                stream.take(ready[name])
            else:
                stream.update(lists)
    return {name: stream.finish() for name, stream in streams.items()}
