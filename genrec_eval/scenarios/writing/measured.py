"""The metrics of disclosed values: each spelling for every attribute and value that it leaves open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import Metric
from genrec_eval.metrics.registry import metric
from genrec_eval.metrics.spelling import SPELLING, parts_of
from genrec_eval.scenarios.arms.attributes import values_in

if TYPE_CHECKING:
    from genrec_eval.scenarios.arms.attributes import Attribute

OPEN = (
    "value_gap",
    "value_difference",
    "text_similarity",
    "relative_text_similarity",
    "text_similarity_gap",
    "text_similarity_difference",
)
"""Metrics that may leave the attribute open."""

ON = "disclosures"
"""What metrics of disclosed values work on."""

DEFAULT = (
    "value_gap(of=tone)",
    "value_gap(of=length)",
    "value_gap(of=claims)",
    "value_gap(of=supported)",
    "value_gap(of=refusal_rate)",
    "value_difference(of=tone,value=*)",
    "value_difference(of=length,value=*)",
)
"""Measured where attributes are disclosed and the suite names no metric of them."""


def measured(spellings: Sequence[str], attributes: Mapping[str, Attribute]) -> list[Metric]:
    """The metrics of the spellings, and those of disclosed values where something is disclosed.

    Raises
    ------
    UsageError
        When a metric is none, or names an attribute or a value that is not disclosed.
    """
    found = [one for spelling in spellings for one in _expanded(spelling, attributes)]
    if attributes and all(one.definition.on != ON for one in found):
        found += [one for spelling in DEFAULT for one in _expanded(spelling, attributes)]
    return list({one.id: one for one in found}.values())


def _expanded(spelling: str, attributes: Mapping[str, Attribute]) -> list[Metric]:
    match = SPELLING.fullmatch(spelling.strip())
    if match is None or match["name"] not in OPEN:
        return [metric(spelling)]  # refused, with a reason, where it is wrong
    if not attributes:
        raise UsageError(
            f"metric '{spelling}' compares texts by what was disclosed, and nothing is: name attributes, as"
            " in attributes: {gender: {values: [female, male]}}"
        )
    given = dict(parts_of(match["parameters"]))
    found = []
    for attribute in [given["attribute"]] if given.get("attribute") else list(attributes):
        for value in values_in(spelling, "explanation", attribute, given.get("value"), attributes):
            own = {**given, "attribute": attribute, **({} if value is None else {"value": value})}
            one = metric(f"{match['name']}({','.join(f'{key}={said}' for key, said in own.items())})")
            found.append(one)
    return found
