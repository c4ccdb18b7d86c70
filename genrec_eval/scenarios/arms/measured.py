"""The metrics of arms: each spelling for every attribute, similarity and value that it leaves open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from genrec_eval.core.errors import UsageError
from genrec_eval.core.registry import load_object
from genrec_eval.metrics.base import Family, Metric
from genrec_eval.metrics.registry import METRICS
from genrec_eval.metrics.spelling import SPELLING, parts_of
from genrec_eval.scenarios.arms.attributes import EVERY, values_in
from genrec_eval.scenarios.elsewhere import with_bases
from genrec_eval.scenarios.ranking.base import bind_at

if TYPE_CHECKING:
    from genrec_eval.scenarios.counterfactual import CounterfactualOptions


def measured(options: CounterfactualOptions, validity: Sequence[Metric] = ()) -> list[Metric]:
    """The metrics of the options, each once.

    Raises
    ------
    UsageError
        When a metric is none, is not about arms, or names an attribute or a value that is not disclosed.
    """
    bound = (bind_at(one, options.k) for named in options.metrics for one in _expanded(named, options))
    return with_bases("counterfactual", bound, ("arms",), validity)


def _expanded(spelling: str, options: CounterfactualOptions) -> list[str]:
    match = SPELLING.fullmatch(spelling.strip())
    if match is None:
        return [spelling]  # refused, with a reason, by who binds it
    given = dict(parts_of(match["parameters"]))
    takes = _takes(match["name"])
    if "by" in takes:
        return [spelling]  # it compares groups by one other metric, spelled out
    names = [given["attribute"]] if "attribute" in given else list(options.attributes)
    likenesses = [given["of"]] if "of" in given else list(options.similarities)
    arms = given.get("arm", "")
    spelled = []
    for name, of, arm in product(
        names if "attribute" in takes else [""],
        likenesses if "of" in takes else [""],
        ["neutral", *_arms(options)] if arms == EVERY else [arms],
    ):
        if "arm" in takes and name and name not in _told(options, arm):
            if arms == EVERY:
                continue
            if arm in type(options.robustness).model_fields and name in options.attributes:
                raise UsageError(
                    f"scenario 'counterfactual': metric '{spelling}' is about '{name}' in the arm '{arm}',"
                    f" where it is not disclosed; name it under robustness.{arm}"
                )
        value = given.get("value")
        meant = values_in(spelling, "counterfactual", name, value, options.attributes) if name else [value]
        for value in meant:
            open_ones = {"attribute": name, "of": of, "arm": arm, "value": value or ""}
            own = {**given, **{key: said for key, said in open_ones.items() if said}}
            spelled.append(
                _spelled(match["name"], [f"{key}={said}" for key, said in own.items()], match["k"])
            )
    return spelled


def _takes(name: str) -> Mapping[str, Any]:
    """The parameters of a metric; none of what is no metric, which is refused where it is bound."""
    family = load_object(name) if ":" in name else METRICS.get(name)
    return family.definition.parameters if isinstance(family, Family) else {}


def _arms(options: CounterfactualOptions) -> list[str]:
    """The arms beside disclosure, where something is asked in them."""
    used = {*options.wordings.values(), *(["typo"] if options.robustness.typo else [])}
    return [arm for arm in ("paraphrase", "typo", "order", "language") if arm in used]


def _told(options: CounterfactualOptions, arm: str) -> tuple[str, ...]:
    """The attributes that are disclosed in an arm of robustness."""
    known = arm in type(options.robustness).model_fields
    found: tuple[str, ...] = getattr(options.robustness, arm) if known else ()
    return found


def _spelled(name: str, parameters: list[str], k: str | None) -> str:
    inside = f"({','.join(parameters)})" if parameters else ""
    return f"{name}{inside}{f'@{k}' if k else ''}"
