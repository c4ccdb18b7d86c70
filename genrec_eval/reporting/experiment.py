"""What a report says of an experiment beside its figures: how users were split, what guardrails saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genrec_eval.core.numbers import count, exact
from genrec_eval.reporting.results import mapping
from genrec_eval.reporting.text import line, plural

Pairs = list[tuple[str, str]]

SHOWN = 20
"""Looks that a table shows: the last ones, which decided."""


@dataclass(frozen=True, slots=True)
class Watch:
    """The looks of one guardrail at one arm, as rows of text."""

    arm: str
    title: str
    told: str
    stopped: bool
    rows: tuple[tuple[str, ...], ...]


def conditions(facts: Mapping[str, Any]) -> Pairs:
    """How users were split and counted, for the table of how a scenario was asked."""
    found = mapping(facts.get("experiment"))
    if not found:
        return []
    arms, planned = mapping(found.get("arms")), mapping(found.get("planned"))
    sizes = [f"{line(name, 60)} {count(n)} (planned {count(planned.get(name))})" for name, n in arms.items()]
    p = found.get("sample_ratio_p")
    ratio = "as planned" if found.get("sound") else "a mismatch: no effect can be trusted"
    outcome = {"zero": "count with 0", "exclude": "are left out"}.get(str(found.get("missing")), "")
    cuped = [
        f"{line(name, 60)}: {exact(100 * share)} % of the variance,"
        f" {count(removed.get('unknown_users'))} users not known before"
        for name, removed in ((n, mapping(r)) for n, r in mapping(found.get("cuped")).items())
        if isinstance(share := removed.get("variance_removed"), int | float)
    ]
    pairs = [
        ("Arms", f"{', '.join(sizes)}; control {line(found.get('control') or '', 60)}"),
        ("Sample ratio", f"{ratio} (p = {p:.3g})" if isinstance(p, int | float) else ""),
        ("Period", f"{line(found.get('first') or '', 40)} to {line(found.get('last') or '', 40)}"),
        ("Users", f"all that were assigned; those without an outcome {outcome}" if outcome else ""),
        (
            "First days",
            f"the first {count(found.get('first_days'))} of each user" if "first_days" in found else "",
        ),
        ("CUPED takes out", "; ".join(cuped)),
    ]
    return [(name, text) for name, text in pairs if text]


def watches(run: Mapping[str, Any], scenario: str) -> list[Watch]:
    """The guardrails of a scenario, those that stopped an arm first."""
    facts = mapping(mapping(mapping(run.get("scenarios")).get(scenario)).get("facts"))
    listed = facts.get("guardrails")
    found = [_watch(row) for row in listed if isinstance(row, Mapping)] if isinstance(listed, list) else []
    return sorted(found, key=lambda one: not one.stopped)


def _watch(guardrail: Mapping[str, Any]) -> Watch:
    listed = guardrail.get("looks")
    looks = [mapping(look) for look in listed] if isinstance(listed, list) else []
    last = looks[-1] if looks else {}
    action = line(last.get("action") or "", 40)
    day = line(last.get("day") or "", 40)
    if not looks:
        told = "no user was seen for the whole window"
    elif action.startswith("stop"):
        told = f"{action} on {day}, at look {len(looks)}"
    else:
        told = f"{plural(len(looks), 'look')}, none of which stopped it"
    outcome, window = line(guardrail.get("outcome") or "", 60), guardrail.get("window")
    margin = guardrail.get("margin")
    tolerated = f", harm of {exact(margin)} tolerated" if isinstance(margin, int | float) and margin else ""
    over = f" of a user's first {plural(window, 'day')}" if isinstance(window, int) else ""
    better = f", {line(guardrail.get('better') or '', 20)} is better"
    return Watch(
        arm=line(guardrail.get("arm") or "", 60),
        title=f"{outcome}{over}{better}{tolerated}",
        told=told,
        stopped=action.startswith("stop"),
        rows=tuple(_row(number, look) for number, look in list(enumerate(looks, 1))[-SHOWN:]),
    )


def _row(number: int, look: Mapping[str, Any]) -> tuple[str, ...]:
    users = look.get("users")
    sizes = [count(n) for n in users] if isinstance(users, list) and len(users) == 2 else ["—", "—"]
    low, high = _number(look.get("low")), _number(look.get("high"))
    return (
        str(number),
        line(look.get("day") or "", 40),
        *sizes,
        _number(look.get("estimate")),
        f"{low} to {high}" if "—" not in (low, high) else "—",
        _number(look.get("harm")),
        _number(look.get("benefit")),
        line(look.get("action") or "", 40),
    )


def _number(value: Any) -> str:
    return exact(value) if isinstance(value, int | float) and not isinstance(value, bool) else "—"
