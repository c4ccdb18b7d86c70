"""Metrics by name: built in, installed by another package, or ``module:attr``."""

from __future__ import annotations

from pathlib import Path

from genrec_eval.core.errors import UsageError
from genrec_eval.core.registry import Registry, load_object
from genrec_eval.metrics.base import Family, Metric, bind

METRICS = Registry(
    "metric",
    {
        "recall": "genrec_eval.metrics.accuracy:recall",
        "precision": "genrec_eval.metrics.accuracy:precision",
        "f1": "genrec_eval.metrics.accuracy:f1",
        "hit_rate": "genrec_eval.metrics.accuracy:hit_rate",
        "mrr": "genrec_eval.metrics.accuracy:mrr",
        "map": "genrec_eval.metrics.accuracy:average_precision",
        "ndcg": "genrec_eval.metrics.accuracy:ndcg",
        "coverage": "genrec_eval.metrics.beyond:Coverage",
        "popularity": "genrec_eval.metrics.beyond:popularity",
        "invalid": "genrec_eval.metrics.validity:invalid",
        "duplicate": "genrec_eval.metrics.validity:duplicate",
        "seen": "genrec_eval.metrics.validity:seen",
        "short": "genrec_eval.metrics.validity:short",
    },
    group="genrec_eval.metrics",
)


def metric(spelling: str, base: Path | None = None) -> Metric:
    """Read a metric as a suite spells it.

    Parameters
    ----------
    spelling
        ``"recall@10"``, ``"ndcg(ideal=all)@10"``, ``"my_metrics.py:first_hit@10"``.
    base
        Folder that relative file paths are resolved against; the working folder by default.

    Raises
    ------
    UsageError
        When the name, a parameter, a value or the cutoff is wrong.

    >>> metric("recall(denominator=min)@5").definition_id
    'recall(denominator=min)@5'
    """

    def lookup(name: str) -> Family:
        found = load_object(name, base) if ":" in name else METRICS.get(name)
        if not isinstance(found, Family):
            raise UsageError(
                f"metric '{name}' is not a metric: decorate it with genrec_eval.metrics.base.define"
            )
        own = found.definition.name
        if ":" in name and own in METRICS.names() and METRICS.get(own) is not found:
            raise UsageError(f"metric '{name}' is defined under the name '{own}', which is taken; rename it")
        return found

    return bind(spelling, lookup)
