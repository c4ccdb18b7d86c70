"""Names of metrics as people read them: title, cutoff, then in words what is not as by default."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from genrec_eval.core.errors import UsageError

_LONGEST = 200
_BETWEEN = {
    "group_gap": "gap",
    "group_ratio": "ratio",
    "group_difference": "difference",
    "value_gap": "gap",
    "value_difference": "difference",
}
"""Metrics that hold another metric of one group or disclosed value against others → the word for it."""
_TARGETS = {
    "train": "against shares in training",
    "relevance": "against shares of what is relevant",
    "uniform": "against equal shares",
    "declared": "against declared shares",
}
_MINOR = frozenset({"least"})
"""Parameters that a title leaves out unless another metric has the same title without them."""


@cache
def title_of(metric: str) -> str:
    """Title of a metric with its cutoff; its id where it is not one of the built-in ones.

    >>> title_of("ndcg@10"), title_of("no such metric"), title_of("answered")
    ('NDCG@10', 'no such metric', 'answered')
    >>> title_of("group_gap(by=gender,least=300)@10"), title_of("ndcg(ideal=all)@10")
    ('NDCG@10, gap by gender', 'NDCG@10, ideal=all')
    """
    from genrec_eval.metrics.registry import metric as known

    if len(metric) > _LONGEST or ":" in metric:  # modules of strangers are not imported for a name
        return metric
    try:
        found = known(metric)
    except UsageError:
        return metric
    return readable(metric, found.definition.title, found.parameters, title_of)


def readable(
    metric: str,
    title: str,
    parameters: Mapping[str, Any],
    base: Callable[[str], str] = title_of,
    *,
    whole: bool = False,
) -> str:
    """The title of a metric for heads and sentences.

    Parameters
    ----------
    metric
        Its id, which spells what is not as by default.
    title
        Title of its definition, without cutoff and parameters.
    parameters
        All of its parameters; may be empty.
    base
        Id of another metric, without cutoff or with it → its title.
    whole
        Whether every parameter of the id is told.

    >>> readable("snsr(attribute=gender)@20", "SNSR", {}), readable("coverage@10", "Coverage", {})
    ('SNSR@20, by gender', 'Coverage@10')
    >>> readable("group_difference(by=age,group=old,of=recall)@5", "Group difference", {}, str)
    'recall@5, age old against the rest'
    >>> readable("group_gap(by=sex*age,least=9)@5", "Group gap", {"of": "ndcg"}, str, whole=True)
    'ndcg@5, gap by sex and age, groups of 9 or more'
    >>> readable("value_gap(attribute=sex,of=tone)", "Gap between values", {}, str.title)
    'Tone, gap by disclosed sex'
    >>> readable("value_difference(attribute=sex,of=tone,value=male)", "Difference", {}, str.title)
    'Tone, sex male against neutral'
    """
    from genrec_eval.metrics.spelling import SPELLING, parts_of

    match = SPELLING.fullmatch(metric)
    if match is None:
        return title
    given = dict(parts_of(match["parameters"]))
    at = f"@{match['k']}" if match["k"] else ""
    between = _BETWEEN.get(match["name"])
    head = title if at and title.endswith(at) else f"{title}{at}"
    if between:
        of = given.pop("of", "") or str(parameters.get("of") or "")
        if of:
            head = base(f"{of}{at}") if base(f"{of}{at}") != f"{of}{at}" else base(of)
            head = head if head != of else f"{of}{at}"
    said = list(_told(given, between or "", whole))
    return ", ".join([head, *said])


def _told(given: dict[str, str], between: str, whole: bool) -> Iterable[str]:
    by, group = given.pop("by", "").replace("*", " and "), given.pop("group", "")
    attribute, value = given.pop("attribute", ""), given.pop("value", "")
    if outcome := given.pop("outcome", ""):
        yield outcome.replace("_", " ")
    if by and group:
        yield f"{by} {group} against the rest"
    elif attribute and between:
        yield f"{attribute} {value} against neutral" if value else f"{between} by disclosed {attribute}"
    elif by or between:
        yield " ".join(filter(None, (between, f"by {by}" if by else "")))
    if attribute and not between:
        yield f"{attribute} {value}" if value else f"by {attribute}"
    for name, text in given.items():
        if name in _MINOR and not whole:
            continue
        if name == "least":
            yield f"groups of {text} or more"
        elif name == "target":
            yield _TARGETS.get(text, f"{name}={text}")
        elif name == "of":
            yield f"of {text.replace('_', ' ')}"
        else:
            yield f"{name}={text}"


def renamed(said: str, model: str, metric: str, title: str) -> str:
    """A reason that begins with a model's metric, with the title in place of the id.

    >>> renamed("knn's ndcg@10 is 0.3", "knn", "ndcg@10", "NDCG@10")
    "knn's NDCG@10 is 0.3"
    """
    head = f"{model}'s {metric}"
    return f"{model}'s {inside(title)}{said[len(head) :]}" if said.startswith(head) else said


def inside(title: str) -> str:
    """A title where a sentence goes on after it: what its comma begins is closed by another.

    >>> inside("NDCG@10"), inside("NDCG@10, gap by gender")
    ('NDCG@10', 'NDCG@10, gap by gender,')
    """
    return f"{title}," if ", " in title else title


def distinct(titles: Mapping[str, str], longer: Callable[[str], str]) -> dict[str, str]:
    """Metric → title, no two alike: where several have one, each is told at length, or by its id.

    >>> distinct({"a(x=1)": "A", "a(x=2)": "A", "b": "B"}, {"a(x=1)": "A, 1", "a(x=2)": "A, 2"}.get)
    {'a(x=1)': 'A, 1', 'a(x=2)': 'A, 2', 'b': 'B'}
    """
    found = dict(titles)
    for tell in (longer, lambda metric: metric):
        seen: dict[str, list[str]] = {}
        for metric, title in found.items():
            seen.setdefault(title, []).append(metric)
        found |= {metric: tell(metric) for same in seen.values() if len(same) > 1 for metric in same}
    return found
