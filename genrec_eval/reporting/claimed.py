"""What stands behind the title of a claim: what was tested, on how many units, and what the data hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from genrec_eval.core.numbers import Figure, bound, count, figure
from genrec_eval.protocol.results import Estimate, Ruling, Verdict
from genrec_eval.reporting import facts
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.rules import asked
from genrec_eval.reporting.text import line, listing, plural
from genrec_eval.reporting.titles import inside
from genrec_eval.suite.rule import PAIRED

_WORDS = {"half": 0.5, "a third": 1 / 3, "two thirds": 2 / 3, "a quarter": 0.25}
_NUMBER = re.compile(
    r"(?:\b(?P<lead>by|least|most|than|above|below|under|over|within)\s+[±]?)?"
    r"(?<![\w@.=-])(?P<number>\d+(?:\.\d+)?)\s*(?P<sign>%|percent\b|(?:percentage )?points?\b)?(?![\w.]\d)"
)
_EVERYBODY = re.compile(
    r"\b(nobody|no one|no user|everybody|everyone|every user|each user|all users|anybody|anyone)\b", re.I
)


def behind(results: Results, row: Verdict) -> Estimate | None:
    """The estimate that a verdict was made from, whichever way round its difference is stored."""
    found = results.get(row.scenario, row.metric, row.model, row.slice, row.baseline)
    if found is None and row.baseline is not None:
        found = results.get(row.scenario, row.metric, row.baseline, row.slice, row.model)
    return found


def figure_of(results: Results, row: Verdict) -> Figure:
    """What a verdict was made on, as it is shown."""
    return figure(
        row.value,
        row.low,
        row.high,
        unit=results.unit(row.metric),
        reason=row.reason,
        difference=row.rule in PAIRED,
        apart=(row.margin, -row.margin),
    )


def units(results: Results, row: Verdict) -> str:
    """``"difference; n 300, 2 excluded"``; empty where there is no figure."""
    found = behind(results, row)
    if found is None or row.value is None:
        return ""
    left = sum(found.excluded.values())
    said = f"n {count(found.n)}" + (f", {count(left)} excluded" if left else "")
    return f"difference; {said}" if row.baseline is not None else said


def full_claim(results: Results, row: Verdict) -> str:
    """The sentence that was decided: ``"Hit rate@10 of candidate at least 0.7, on average"``."""
    whose = "" if row.slice == "all" else f" for {line(row.slice, 80)}"
    what = f"{inside(results.title(row.metric))} of {line(row.model, 80)}{whose}"
    rule = asked(row.rule, row.margin, results.unit(row.metric), row.baseline)
    mean = row.rule != "published" and _is_mean(results, row.metric)
    return f"{what} {rule}{', on average' if mean else ''}"


def doubt(results: Results, row: Verdict) -> str:
    """Where the author's title says another number or more than was tested; empty where it does not."""
    if not row.gate or row.rule == "published":
        return ""
    return misread(row.claim, row.margin, results.unit(row.metric), row.rule, _is_mean(results, row.metric))


def misread(title: str, margin: float, unit: str, rule: str, mean: bool) -> str:
    """What in a title is not what was tested.

    >>> misread("Finds something for half of the users", 0.7, "", "at_least", True)
    'The title says half; tested is 0.7.'
    >>> misread("Nobody loses", 0.03, "", "not_worse_by", True)
    'The title says “Nobody”; tested is an average.'
    >>> misread("At most 1 % of NDCG@10 lists of 10 repeat items", 0.01, "share", "at_most", True)
    ''
    """
    said = [(word, _WORDS[word], False) for word in _WORDS if re.search(rf"\b{word}\b", title, re.I)]
    for match in _NUMBER.finditer(title):
        if match["lead"] or match["sign"]:
            said.append((f"{match['number']} {match['sign'] or ''}".strip(), float(match["number"]), True))
    parts = []
    for text, value, digits in said:
        means = {value, value / 100} if digits else {value}
        if rule in ("at_least", "at_most"):
            means |= {1 - one for one in means}
        if not any(abs(one - margin) <= 1e-9 + 0.005 * abs(margin) for one in means):
            parts.append(f"The title says {text}; tested is {bound(margin, unit, rule in PAIRED)}.")
    strict = rule in ("at_least", "at_most") and margin in (0.0, 1.0)
    if mean and not strict and (who := _EVERYBODY.search(title)):
        parts.append(f"The title says “{who[0]}”; tested is an average.")
    return " ".join(parts)


def _is_mean(results: Results, metric: str) -> bool:
    return str(results.definition(metric).get("made") or "").startswith("their mean")


def controls(results: Results, run: Mapping[str, Any]) -> dict[str, str]:
    """Model made to fail → its planted flaw, by the title of the measure that is to find it."""
    titles = {str(one.get("name")): str(one.get("title")) for one in results.definitions.values()}
    return {model: titles.get(flaw, flaw.replace("_", " ")) for model, flaw in facts.planted(run).items()}


def to_be_had(run: Mapping[str, Any]) -> dict[str, int]:
    """Scenario → users that its data hold, where the run says so."""
    found = {}
    for name, scenario in mapping(run.get("scenarios")).items():
        known = mapping(mapping(scenario).get("facts")).get("users_evaluated")
        if isinstance(known, int) and not isinstance(known, bool):
            found[str(name)] = known
    return found


def simulated(run: Mapping[str, Any]) -> str:
    """That some or all data are synthetic, and so silent on real users; empty where none are."""
    declared = mapping(mapping(run.get("suite")).get("data"))
    known = mapping(run.get("data"))
    worlds = [
        name
        for name in dict.fromkeys([*known, *declared])
        if mapping(declared.get(name)).get("dataset") == "synthetic"
        or "ynthetic" in str(mapping(known.get(name)).get("name"))
    ]
    if not worlds:
        return ""
    if len(worlds) == len({*known, *declared}):
        return "The data are synthetic: nothing here says anything of real users."
    names = listing([line(name, 60) for name in worlds])
    return f"Of the data, {names} is synthetic: figures from it say nothing of real users."


def bounded(results: Results, rows: Iterable[Verdict], had: Mapping[str, int]) -> dict[str, list[Verdict]]:
    """Undecided rows in which nothing was found at all, by the one sentence that explains them."""
    told: dict[str, list[Verdict]] = {}
    for row in rows:
        found = behind(results, row)
        if (
            row.verdict is Ruling.INSUFFICIENT
            and row.rule == "at_most"
            and row.value == 0
            and row.high is not None
            and row.needed
            and found is not None
            and found.interval == "constant"
            and results.unit(row.metric) == "share"
        ):
            high = bound(float(f"{row.high:.2g}"), "share")
            asked_for = bound(row.margin, "share")
            text = (
                f"None in {plural(found.n, 'unit')} bounds the share at {high}, and at most {asked_for} is"
                f" asked: {count(row.needed)} units would show it, if none is found in them either"
            )
            held = had.get(row.scenario) if row.slice == "all" else None
            if held is not None and held > found.n:
                text += f"; the data hold {count(held)}"
            elif held is not None and held < row.needed:
                text += f"; the data hold only {count(held)}, so that it cannot be shown on them"
            told.setdefault(f"{text}.", []).append(row)
    return told
