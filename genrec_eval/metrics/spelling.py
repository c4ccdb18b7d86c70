"""How a metric is written in a suite: ``ndcg(ideal=all)@10``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.metrics.base import Definition, Family, Metric

SPELLING = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z0-9_-]*|[^()@]+:[A-Za-z_][A-Za-z0-9_.]*)"
    r"(?:\((?P<parameters>(?:[^()]|\([^()]*\))*)\))?(?:@(?P<k>\d+))?"
)
"""A value may be a metric with parameters of its own, as in ``group_gap(by=gender,of=ndcg(gain=exp))@10``."""

_COMMA = re.compile(r",(?![^()]*\))")
GREATEST_CUTOFF = 1_000_000


def parts_of(inside: str | None) -> list[tuple[str, str]]:
    """Name and value of each parameter; commas inside a value's own parentheses do not part them.

    >>> parts_of("by=gender, of=ndcg(gain=exp,ideal=all)")
    [('by', 'gender'), ('of', 'ndcg(gain=exp,ideal=all)')]
    """
    found = []
    for part in filter(None, map(str.strip, _COMMA.split(inside or ""))):
        name, _, value = part.partition("=")
        found.append((name.strip(), value.strip()))
    return found


def bind(spelling: str, lookup: Callable[[str], Family], *, bare: bool = False) -> Metric:
    """Read ``"ndcg(ideal=all)@10"``.

    Parameters
    ----------
    bare
        Whether a metric without any parameter is read though it cannot be computed so: it may have some that
        must be given.

    Raises
    ------
    UsageError
        When the spelling, a parameter, a value or the cutoff is wrong.
    """
    match = SPELLING.fullmatch(spelling.strip())
    if match is None:
        raise UsageError(f"metric '{spelling}' is not of the form name(parameter=value)@k")
    family = lookup(match["name"])
    definition = family.definition
    parameters: dict[str, Any] = {name: default for name, (default, _) in definition.parameters.items()}
    written: set[str] = set()
    for name, text in parts_of(match["parameters"]):
        if name not in definition.parameters:
            known = ", ".join(definition.parameters) or "none"
            raise UsageError(
                f"metric '{definition.name}' has no parameter '{name}'"
                f"{did_you_mean(name, definition.parameters)} (known: {known})"
            )
        if name in written:
            raise UsageError(f"metric '{spelling}' gives {name} twice")
        written.add(name)
        parameters[name] = _value(spelling, name, text, *definition.parameters[name])
    k = int(match["k"]) if match["k"] else None
    if (
        definition.check is not None
        and (written or not bare)
        and (said := definition.check(parameters)) is not None
    ):
        raise UsageError(f"metric '{spelling}': {said}")
    cut = definition.takes_cutoff(parameters)
    if cut and (k is None or k < 1):
        raise UsageError(f"metric '{spelling}' needs a cutoff of at least 1, as in '{definition.name}@10'")
    if k is not None and k > GREATEST_CUTOFF:
        raise UsageError(f"metric '{spelling}' has a cutoff above {GREATEST_CUTOFF:,}")
    if not cut and k is not None:
        plain = spelling.strip().rpartition("@")[0] if definition.needs_cutoff else definition.name
        raise UsageError(f"metric '{definition.name}' has no cutoff{_here(definition)}; write '{plain}'")
    return Metric(definition=definition, function=family.function, k=k, parameters=parameters)


def _here(definition: Definition) -> str:
    return " with these parameters" if definition.needs_cutoff else ""


def at_least(**least: float) -> Callable[[Mapping[str, Any]], str | None]:
    """A check of parameters by the least value of each.

    >>> at_least(words=1)({"words": 0})
    'words is at least 1, not 0'
    """

    def check(parameters: Mapping[str, Any]) -> str | None:
        for name, value in least.items():
            if not parameters[name] >= value:
                return f"{name} is at least {value}, not {parameters[name]}"
        return None

    return check


def _value(spelling: str, name: str, text: str, default: Any, allowed: tuple[Any, ...] | None) -> Any:
    try:
        value = {"true": True, "false": False}[text.lower()] if isinstance(default, bool) else None
        value = type(default)(text) if value is None else value
    except UsageError as error:  # a type of its own knows better what is wrong
        raise UsageError(f"metric '{spelling}': {name} {error}") from None
    except (ValueError, KeyError):
        raise UsageError(f"metric '{spelling}': {name}={text} is not a {type(default).__name__}") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"metric '{spelling}': {name}={text} is not a finite number")
    if allowed is not None and value not in allowed:
        raise UsageError(
            f"metric '{spelling}': {name} is one of {', '.join(map(str, allowed))}, not '{text}'"
            f"{did_you_mean(text, map(str, allowed))}"
        )
    return value
