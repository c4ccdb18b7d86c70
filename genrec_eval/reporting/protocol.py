"""How each scenario was asked: which truth, which population, from which candidates, and what leaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genrec_eval.core.numbers import count, exact
from genrec_eval.reporting.experiment import conditions
from genrec_eval.reporting.facts import moment, population, spell
from genrec_eval.reporting.results import mapping
from genrec_eval.reporting.text import line

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Leak:
    """One line of the leakage audit."""

    name: str
    severity: str
    sentence: str
    examples: str


def protocol(run: Mapping[str, Any], scenario: str) -> Pairs:
    """What a reader must know before comparing a figure with one from elsewhere."""
    facts = mapping(mapping(mapping(run.get("scenarios")).get(scenario)).get("facts"))
    if not facts:
        return []
    if said := conditions(facts):
        return said
    if said := [(line(name, 60), line(text, 2000)) for name, text in mapping(facts.get("told")).items()]:
        return said
    options = _options(run, scenario)
    return [
        (name, text)
        for name, text in (
            ("Split", _split(facts)),
            ("Population", population(facts)),
            ("Truth", _truth(facts, options)),
            ("Candidates", _candidates(facts)),
            ("Histories", _histories(facts, options)),
            ("Disclosed", _disclosed(facts)),
            ("Training", _training(facts)),
        )
        if text
    ]


def leaks(run: Mapping[str, Any], scenario: str) -> list[Leak]:
    """The leakage audit of a scenario's data, what is worst first."""
    facts = mapping(mapping(mapping(run.get("scenarios")).get(scenario)).get("facts"))
    found = [
        Leak(
            line(row.get("name") or "", 60).replace("-", " "),
            line(row.get("severity") or "", 20),
            line(row.get("sentence") or "", 400),
            "; ".join(line(example, 120) for example in list(row.get("examples") or ())[:3]),
        )
        for row in facts.get("leakage") or ()
        if isinstance(row, Mapping)
    ]
    order = {"warning": 0, "note": 1}
    return sorted(found, key=lambda leak: order.get(leak.severity, 2))


def _options(run: Mapping[str, Any], scenario: str) -> dict[str, Any]:
    suite = mapping(run.get("suite"))
    return mapping(mapping(mapping(suite.get("scenarios")).get(scenario)).get("options"))


def _split(facts: Mapping[str, Any]) -> str:
    said = [str(facts.get("method") or "").replace("-", " ")]
    if facts.get("cut_utc"):
        said.append(f"cut at {moment(facts['cut_utc'])}")
    if isinstance(facts.get("train_share"), float):
        said.append(f"{exact(round(100 * facts['train_share'], 1))} % of interactions for training")
    if rounds := facts.get("k_core"):
        said.append(f"after a k-core: {spell(rounds)}")
    for key in ("shift", "source", "page", "targets"):
        if facts.get(key):
            said.append(f"{key}: {spell(facts[key])}")
    return "; ".join(part for part in said if part)


def _disclosed(facts: Mapping[str, Any]) -> str:
    """What texts were asked for once more with, a value at a time."""
    said = mapping(facts.get("own_values"))
    told = {name: values for name, values in mapping(facts.get("disclosed_values")).items() if values}
    return "; ".join(
        f"{line(name, 60)} as {', '.join(line(value, 80) for value in values)}, a value at a time"
        + (f" (the user's own is {line(said[name], 300)})" if name in said else "")
        for name, values in told.items()
        if isinstance(values, list)
    )


def _truth(facts: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    said = []
    least = facts.get("min_rating", options.get("min_rating"))
    said.append(
        "all test interactions" if least is None else f"test interactions rated {exact(least)} or more"
    )
    if isinstance(facts.get("cold_start_items"), int):
        most = count(facts.get("most_interactions") or 0)
        said.append(f"with items of at most {most} training interactions")
    kept = mapping(options.get("split")).get("repeats") == "keep"
    said.append("items of the history may come again" if kept else "items new to the user alone")
    if facts.get("repeats_dropped"):
        said.append(f"{count(facts['repeats_dropped'])} repeats dropped")
    if facts.get("relevance") == "rating":
        said.append("graded by the ratings")
    if isinstance(facts.get("truth_pairs"), int):
        said.append(f"{count(facts['truth_pairs'])} in all")
    if isinstance(facts.get("cold_item_interaction_share"), float):
        said.append(
            f"{exact(round(100 * facts['cold_item_interaction_share'], 1))} % with items unknown to training"
        )
    if isinstance(facts.get("share_of_ambiguous_targets"), float):
        said.append(f"{exact(round(100 * facts['share_of_ambiguous_targets'], 1))} % share their semantic id")
    return "; ".join(said)


def _candidates(facts: Mapping[str, Any]) -> str:
    return line(facts.get("candidates") or "", 300)


def _histories(facts: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    limit = options.get("history_limit")
    sent = f"the latest {count(limit)} items are sent" if isinstance(limit, int) else "sent whole"
    said = line(facts.get("histories") or "", 300)
    if not said:
        return sent
    return said if limit is None else f"{said}; of these {sent}"


def _training(facts: Mapping[str, Any]) -> str:
    said = [f"{count(facts['train'])} interactions"] if isinstance(facts.get("train"), int) else []
    if isinstance(facts.get("leaked_interactions"), int):
        said.append(f"{count(facts['leaked_interactions'])} of them later than a case that is asked")
    return "; ".join(said)
