"""What claims and rules of the gate have in common: a slice, and exactly one of several rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel

PAIRED = frozenset({"better_by", "not_worse_by", "within"})
"""Rules about a difference, unit by unit: from another model, or from the baseline."""

Rule = TypeVar("Rule", bound=str)


def _one_slice(value: str) -> str:
    group, equals, wanted = value.partition("=")
    if value != "all" and not (group and equals and wanted):
        raise ValueError(f"'{value}' is not a slice: write all, or one group as in gender=F")
    return value


Slice = Annotated[str, AfterValidator(_one_slice)]
"""``"all"``, or ``"<group>=<value>"``."""


def one_rule(entry: BaseModel, rules: Iterable[Rule], what: str) -> Rule:
    """The one of ``rules`` that is given; ``what`` names the entry in the sentence that refuses others."""
    rules = tuple(rules)
    given = [rule for rule in rules if getattr(entry, rule) is not None]
    if len(given) != 1:
        raise ValueError(
            f"{what} needs exactly one of {', '.join(rules)}"
            + (f", not {' and '.join(given)} together" if given else "")
        )
    return given[0]
