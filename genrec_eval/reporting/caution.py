"""Why a verdict is to be read with care: too few units, or a doubt that the suite itself states."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from genrec_eval.protocol.results import Ruling, Verdict
from genrec_eval.reporting.claimed import behind
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.text import line, plural

FEW = 30
"""Fewer units than this behind a verdict are told: intervals from so few hold less often than they say."""
GROUPS = "fairness-to-users"
"""Area of risk that figures by group of people belong to."""


@dataclass(frozen=True, slots=True)
class Denied:
    """A risk of groups of people that the suite says is not tested, and the groups that it names."""

    risk: str
    why: str
    slices: frozenset[str]
    """Empty where it is about all groups."""

    def about(self, slice: str) -> bool:
        """Whether it speaks of these units."""
        return slice != "all" and (not self.slices or slice in self.slices)


def denied(run: Mapping[str, Any], slices: Iterable[str]) -> list[Denied]:
    """Risks of groups that the suite says are not tested.

    Parameters
    ----------
    slices
        Slices of the run, as ``"gender=F"``: one that the words of the risk name limits it to that group.
    """
    known = list(dict.fromkeys(one for one in slices if "=" in one))
    found = []
    for one in mapping(mapping(run.get("suite")).get("audit")).get("risks") or ():
        risk = mapping(one)
        title, why, area = (str(risk.get(key) or "") for key in ("risk", "why_not", "area"))
        said = f"{title} {why}"
        named = frozenset(slice for slice in known if _names(said, slice))
        if why and area in ("", GROUPS) and (area or named or re.search(r"\bgroups?\b", said, re.I)):
            found.append(Denied(title, why, named))
    return found


def _names(text: str, slice: str) -> bool:
    """Whether words name a slice: ``"group C"``, ``"gender=F"``, or a value that is a word of its own."""
    key, _, value = slice.partition("=")
    spelled = rf"\b{re.escape(key)}\s*[=: ]\s*['\"“]?{re.escape(value)}(?!\w)"
    if re.search(spelled, text, re.I):
        return True
    return len(value) > 3 and value.isalpha() and bool(re.search(rf"\b{re.escape(value)}\b", text, re.I))


def doubts(found: Iterable[Denied], slice: str, n: int) -> str:
    """What speaks against relying on a figure of a slice; empty where nothing does.

    >>> doubts([Denied("Small groups are served worse", "Too few users of group C", frozenset())], "g=C", 28)
    'Only 28 units: intervals from so few hold less often than they say. The suite itself says: Too few users of group C.'
    """  # noqa: E501
    said = []
    if 0 < n < FEW:
        said.append(f"Only {plural(n, 'unit')}: intervals from so few hold less often than they say.")
    own = dict.fromkeys(one.why.strip().rstrip(".") for one in found if one.about(slice))
    said += [f"The suite itself says: {line(why, 300)}." for why in own]
    return " ".join(said)


def cautions(results: Results, run: Mapping[str, Any]) -> dict[Verdict, str]:
    """Claim that came to something → why it is to be read with care; only those of which there is a why."""
    against = denied(run, (row.slice for row in results.verdicts))
    told = {row: _caution(results, row, against) for row in results.verdicts}
    return {row: said for row, said in told.items() if said}


def _caution(results: Results, row: Verdict, against: list[Denied]) -> str:
    if not row.gate or row.rule == "published" or row.verdict not in (Ruling.PASS, Ruling.FAIL):
        return ""
    estimate = behind(results, row)
    return doubts(against, row.slice, 0 if estimate is None else estimate.n)
