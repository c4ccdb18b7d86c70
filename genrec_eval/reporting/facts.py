"""What was tested, what was not, how it was played, and where it all comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from genrec_eval.core.numbers import count, exact, money, seconds
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.text import line, listing, plural

Pairs = list[tuple[str, str]]

MOST_SPELLED = 2
"""Up to this many scenarios the head of the report says how each was asked."""


def tested(results: Results, run: Mapping[str, Any]) -> Pairs:
    """The table of what was tested; lines of which nothing is known are left out."""
    played = {row.model for row in results.coverage if row.state != "not-run"}
    played |= {row.model for row in results.estimates}
    models = [model for model in results.models() if model in played]
    sets = _tables(run.get("data"))
    titles = [str(facts.get("name") or name) for name, facts in sets]
    data = [
        " — ".join(
            filter(
                None,
                [
                    f"{name}: {title}" if titles.count(title) > 1 else title,
                    _sizes(mapping(facts.get("facts"))),
                ],
            )
        )
        for title, (name, facts) in zip(titles, sets, strict=True)
    ]
    scenarios = _tables(run.get("scenarios"))
    if len(scenarios) > MOST_SPELLED:  # each section says how its scenario was asked
        protocol, population = (
            [plural(len(scenarios), "scenario"), listing([name for name, _ in scenarios])],
            [],
        )
    else:
        protocol = [f"{name}: {_protocol(facts)}" for name, facts in scenarios]
        population = [text for _, facts in scenarios if (text := _population(facts))]
    attempted = sum(row.attempted for row in results.coverage)
    return [
        (name, value)
        for name, value in (
            ("Systems", f"{plural(len(models), 'model')}: {listing(models)}" if models else ""),
            ("Data", "; ".join(data)),
            ("Scenarios", "; ".join(protocol) or listing(results.scenarios())),
            ("Population", "; ".join(population) if attempted or not results.coverage else ""),
            ("Questions", _questions(results)),
            ("When", period(run)),
            ("Seed", str(run["seed"]) if run.get("seed") is not None else ""),
        )
        if value
    ]


def _questions(results: Results) -> str:
    # "Answered" counts whatever came back; what could be used is what a reader takes it for.
    attempted = sum(row.attempted for row in results.coverage)
    if not attempted:
        return "none" if results.coverage else ""
    answered = sum(row.answered for row in results.coverage)
    statuses: dict[str, int] = {}
    for row in results.coverage:
        for name, n in row.statuses.items():
            statuses[name] = statuses.get(name, 0) + n
    said = f"{count(attempted)} put, {count(answered)} answered"
    bad = [f"{count(n)} {name.replace('_', ' ')}" for name, n in statuses.items() if name != "ok" and n]
    return f"{said}; of the exchanges {listing(bad)}" if bad else said


def play(run: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of play and cost; columns of which nothing is known are left out."""
    rows = [mapping(row) for row in run.get("play") or [] if isinstance(row, Mapping)]
    shown: list[tuple[str, Any]] = [
        ("calls", lambda row: count(row.get("calls"))),
        ("from cache", lambda row: count(row.get("cached"))),
        ("retries", _retries),
        ("time", lambda row: seconds(row.get("seconds"))),
        ("median", lambda row: seconds(mapping(row.get("latency")).get("p50"))),
        ("95th pct.", lambda row: seconds(mapping(row.get("latency")).get("p95"))),
        ("99th pct.", lambda row: seconds(mapping(row.get("latency")).get("p99"))),
        ("tokens in", lambda row: count(row.get("input_tokens"))),
        ("tokens out", lambda row: count(row.get("output_tokens"))),
        ("cost", lambda row: money(row.get("cost"))),
    ]
    columns = [(name, [cell(row) for row in rows]) for name, cell in shown]
    # Zero tokens from every model means that none counts any.
    columns = [(n, c) for n, c in columns if set(c) - ({"—", "0"} if n.startswith("tokens") else {"—"})]
    body = [
        [str(row.get("model", "")), str(row.get("scenario", "")), *(cells[i] for _, cells in columns)]
        for i, row in enumerate(rows)
    ]
    return [name for name, _ in columns], body


def provenance(results: Results, run: Mapping[str, Any]) -> Pairs:
    """Where the figures come from."""
    pairs: Pairs = [("Run", results.run)]
    if period := period(run):
        pairs.append(("Played", period))
    if run.get("seed") is not None:
        pairs.append(("Seed", str(run["seed"])))
    for name, facts in _tables(run.get("data")):
        said = [str(facts[key]) for key in ("name", "licence", "source") if facts.get(key)]
        digest = f"SHA-256 {facts['digest']}" if facts.get("digest") else "no digest recorded"
        pairs.append((f"Data: {name}", ". ".join([*dict.fromkeys(said), digest])))
        if more := spell(mapping(facts.get("facts"))):
            pairs.append((f"Counts of {name}", more))
    for name, facts in _tables(run.get("scenarios")):
        told = {
            **facts,
            **mapping(facts.get("facts")),
            "facts": None,
            "guardrails": None,
        }  # a table of its own
        pairs.append((f"Scenario: {name}", spell(told)))
    for name, facts in _models(run).items():
        said = [str(facts["description"]).rstrip(".")] if facts.get("description") else []
        pairs.append((f"Model: {name}", ". ".join([*said, _json(facts.get("identity"))])))
    for title, key in (("Versions", "versions"), ("Git", "git"), ("Environment", "environment")):
        if facts := mapping(run.get(key)):
            pairs.append((title, spell(facts)))
    return pairs


def planted(run: Mapping[str, Any]) -> dict[str, str]:
    """Model → its planted flaw, where the run says so."""
    found = {}
    for name, facts in _models(run).items():
        if facts.get("planted"):
            found[name] = "a planted flaw" if facts["planted"] is True else str(facts["planted"])
    return found


def limits(results: Results, run: Mapping[str, Any]) -> list[str]:
    """What must not be concluded from this report."""
    said = [
        "The intervals carry the chance of which units were asked. They do not carry the chance of another"
        " training, another split or another date.",
        "INSUFFICIENT and NOT-RUN are not a pass: nothing was shown either way.",
        "Two figures may be compared only where their definitions are equal, cutoff and parameters included.",
        "A figure of a ranking metric counts held-out choices that were found. An item that nobody had the"
        " chance to choose counts as a miss, so the figure is no rate of satisfied people.",
        "Overlapping intervals of two models do not show that the models are equal; look at the paired"
        " difference. “No difference” may be claimed only inside a margin that was set beforehand.",
        f"Nothing beyond {plural(len(results.scenarios()), 'scenario')} was asked"
        f" ({listing(results.scenarios()) or 'none'}): the report is silent on every other kind of request.",
    ]
    for name, facts in _tables(run.get("data")):
        warnings = mapping(facts.get("facts")).get("warnings")
        said += [f"Data set {name}: {line(w, 1000)}." for w in warnings or ()]
    suite = mapping(run.get("suite"))
    worlds = [n for n, facts in _tables(suite.get("data")) if facts.get("dataset") == "synthetic"]
    if worlds or any("ynthetic" in str(f.get("name")) for _, f in _tables(run.get("data"))):
        said.insert(
            0,
            "The data are simulated. The figures show that the measuring works and how these models"
            " behave in that world; they say nothing of real users.",
        )
    return said


def suite_text(run: Mapping[str, Any]) -> str:
    """The resolved suite, readable."""
    suite = mapping(run.get("suite"))
    return json.dumps(suite, indent=2, ensure_ascii=False, default=str) if suite else ""


def spell(value: Any) -> str:
    """A fact in one line, whatever its shape.

    >>> spell({"users": 2000, "split": "temporal", "excluded": {"no_test": 3}})
    '2,000 users, split: temporal, excluded: 3 no test'
    """
    if isinstance(value, Mapping):
        return ", ".join(_said(str(key), inner) for key, inner in value.items() if inner is not None)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return exact(value)
    if isinstance(value, list | tuple):
        return listing([spell(inner) for inner in value[:12]])
    return line(value)


def _sizes(facts: Mapping[str, Any]) -> str:
    sizes = ("users", "items", "interactions", "ratings")
    return spell({key: value for key, value in facts.items() if key in sizes})


def _said(key: str, value: Any) -> str:
    name = line(key.replace("_", " "), 80)
    if isinstance(value, int) and not isinstance(value, bool) and key not in {"seed", "k"}:
        return f"{count(value)} {name}"
    return f"{name}: {spell(value) or 'none'}"


def _retries(row: Mapping[str, Any]) -> str:
    attempts, calls = row.get("attempts"), row.get("calls")
    return count(max(0, attempts - calls)) if isinstance(attempts, int) and isinstance(calls, int) else "—"


def moment(value: Any) -> str:
    """An ISO time as people write it.

    >>> moment("2024-11-23T06:30:41+00:00")
    '2024-11-23 06:30:41 UTC'
    """
    text = line(value or "", 40).replace("T", " ")
    return f"{text.removesuffix('Z').removesuffix('+00:00')} UTC" if text.endswith(("Z", "+00:00")) else text


def period(run: Mapping[str, Any]) -> str:
    start, end = (moment(run.get(key)) for key in ("created", "finished"))
    if start and end and start[:10] == end[:10]:
        start, end = start.removesuffix(" UTC"), end[11:]
    return " to ".join(part for part in (start, end) if part)


def _models(run: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    # A model is described once per scenario that it played, or once for all.
    found = {}
    for name, facts in _tables(run.get("models")):
        flat = any(key in facts for key in ("identity", "description", "planted"))
        found[name] = facts if flat else mapping(next(iter(facts.values()), None))
    return found


def _protocol(facts: Mapping[str, Any]) -> str:
    # The few facts that a reader needs first; all of them stand under provenance.
    inner = {**facts, **mapping(facts.get("facts"))}
    split = inner.get("method") or inner.get("split")
    parts = [str(inner[key]) for key in ("title",) if inner.get(key)]
    if split:
        share = inner.get("train_share")
        until = moment(inner.get("cut_utc"))
        parts.append(f"{str(split).replace('-', ' ')} split" if inner.get("method") else str(split))
        if isinstance(share, int | float):
            parts.append(f"{exact(share * 100)} % of interactions for training")
        if until:
            parts.append(f"cut at {until}")
    return ", ".join(parts) or str(inner.get("scenario") or "")


def _population(facts: Mapping[str, Any]) -> str:
    inner = {**facts, **mapping(facts.get("facts"))}
    if inner.get("told"):  # a log of judgements, in which nobody was asked
        return f"{count(inner.get('units'))} prompts"
    whole = inner.get("users_evaluated") or inner.get("users") or inner.get("cases")
    cases = facts.get("cases")
    # A limit leaves fewer cases than there are users to ask.
    sampled = isinstance(cases, int) and isinstance(whole, int) and cases < whole
    asked = f"{count(cases)} of {count(whole)}" if sampled else count(whole)
    excluded = mapping(inner.get("excluded_users") or inner.get("excluded"))
    left = {
        str(k).replace("-", " ").replace("_", " "): n for k, n in excluded.items() if isinstance(n, int) and n
    }
    why = f", left out: {', '.join(f'{count(n)} {reason}' for reason, n in left.items())}" if left else ""
    return f"{asked} users asked{why}" if whole else ""


def _tables(value: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(str(name), mapping(facts)) for name, facts in mapping(value).items()]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str) if value is not None else "no identity recorded"
