"""Names of metrics as people read them, where no run is at hand that holds its definitions."""

from __future__ import annotations

from functools import cache

from genrec_eval.core.errors import UsageError

_LONGEST = 200


@cache
def title_of(metric: str) -> str:
    """Title of a metric with its cutoff; its id where it is not one of the built-in ones.

    >>> title_of("ndcg@10"), title_of("no such metric"), title_of("answered")
    ('NDCG@10', 'no such metric', 'answered')
    """
    from genrec_eval.metrics.registry import metric as known

    if len(metric) > _LONGEST or ":" in metric:  # modules of strangers are not imported for a name
        return metric
    try:
        title = known(metric).definition.title
    except UsageError:
        return metric
    name, at, cutoff = metric.rpartition("@") if "@" in metric else (metric, "", "")
    inside = name[name.index("(") :] if "(" in name else ""
    return title if title.endswith(f"@{cutoff}") else f"{title}{inside}{at}{cutoff}"
