"""The ways in which everybody is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from genrec_eval.core.errors import UsageError

if TYPE_CHECKING:
    from genrec_eval.scenarios.arms.attributes import Attribute
    from genrec_eval.scenarios.counterfactual import CounterfactualOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way of asking.

    Attributes
    ----------
    slug
        What the ids of its cases end in, after ``#``.
    arm
        As of :class:`~genrec_eval.metrics.sensitivity.arm_lists.Variant`.
    attribute, value
        What is meant; None where nothing is disclosed.
    disclosed
        What is written, the misspelling in the arm ``typo``.
    wording
        In which words; None for the usual ones.
    """

    slug: str
    arm: str
    attribute: str | None = None
    value: str | None = None
    disclosed: str | None = None
    wording: str | None = None


def ways_of(options: CounterfactualOptions) -> list[Way]:
    """The plain neutral one first, then paraphrases, attributes by name, and robustness arms.

    Raises
    ------
    UsageError
        When no misspelling of a value can be made.
    """
    attributes = options.attributes
    ways = [Way(slug="neutral", arm="neutral")]
    ways += [Way(slug=name, arm="paraphrase", wording=name) for name in options.worded("paraphrase")]
    for name, attribute in attributes.items():
        ways += _disclosing(name, attribute, "sensitive")
    for name in options.robustness.typo:
        ways += _misspelt(name, attributes[name])
    for arm, among in (("order", options.robustness.order), ("language", options.robustness.language)):
        for wording in options.worded(arm):
            ways.append(Way(slug=wording, arm=arm, wording=wording))
            for name in among:
                ways += _disclosing(name, attributes[name], arm, wording)
    return _told_apart(ways)


def _disclosing(name: str, attribute: Attribute, arm: str, wording: str | None = None) -> Iterator[Way]:
    for value in attribute.values:
        slug = f"{f'{wording}.' if wording else ''}{name}.{_slug(value)}"
        yield Way(slug=slug, arm=arm, attribute=name, value=value, disclosed=value, wording=wording)


def _misspelt(name: str, attribute: Attribute) -> Iterator[Way]:
    for value in attribute.values:
        typo = attribute.misspelt(value)
        if typo is None:
            raise UsageError(
                f"attribute '{name}': no misspelling of '{value}' can be made that is no value itself;"
                f" write one under typos, or take '{name}' out of robustness.typo"
            )
        yield Way(slug=f"typo.{name}.{_slug(value)}", arm="typo", attribute=name, value=value, disclosed=typo)


def _slug(value: str) -> str:
    """
    >>> _slug("African American")
    'african-american'
    """
    return re.sub(r"[^\w+]+", "-", value.lower())


def _told_apart(ways: list[Way]) -> list[Way]:
    """Values such as ``a b`` and ``a-b`` have the same slug: the later ones get a number."""
    seen: dict[str, int] = {}
    found = []
    for way in ways:
        number = seen[way.slug] = seen.get(way.slug, 0) + 1
        found.append(way if number == 1 else replace(way, slug=f"{way.slug}~{number}"))
    return found
