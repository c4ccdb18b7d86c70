"""What was tested, what was not, how it was played, and where it all comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from genrec_eval.reporting.format import count, exact, money, seconds
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.text import line, listing, plural

Pairs = list[tuple[str, str]]


def tested(results: Results, run: Mapping[str, Any]) -> Pairs:
    """The table of what was tested; lines of which nothing is known are left out."""
    played = {row.model for row in results.coverage if row.state != "not-run"}
    played |= {row.model for row in results.estimates}
    models = [model for model in results.models() if model in played]
    data = [
        " — ".join(filter(None, [str(facts.get("name") or name), spell(mapping(facts.get("facts")))]))
        for name, facts in _tables(run.get("data"))
    ]
    protocol = [f"{name}: {spell(facts)}" for name, facts in _tables(run.get("scenarios"))]
    attempted = sum(row.attempted for row in results.coverage)
    answered = sum(row.answered for row in results.coverage)
    return [
        (name, value)
        for name, value in (
            ("Systems", f"{plural(len(models), 'model')}: {listing(models)}" if models else ""),
            ("Data", "; ".join(data)),
            ("Scenarios", "; ".join(protocol) or listing(results.scenarios())),
            ("Questions", f"{count(attempted)} put, {count(answered)} answered" if attempted else ""),
            ("When", _period(run)),
            ("Seed", str(run["seed"]) if run.get("seed") is not None else ""),
        )
        if value
    ]


def not_tested(results: Results) -> list[tuple[str, str]]:
    """What was named and not run, run in part, or could not be scored: (what, why)."""
    found: list[tuple[str, str]] = []
    for row in results.coverage:
        what = f"{row.model} in {row.scenario}"
        if row.state == "not-run":
            found.append((f"{what} was not run", row.reason or "no reason was recorded"))
        elif row.state == "partial" or row.answered < row.attempted:
            bad = ", ".join(f"{count(n)} {name}" for name, n in row.statuses.items() if name != "ok")
            why = row.reason or bad or "no reason was recorded"
            found.append((f"{what}: {count(row.answered)} of {count(row.attempted)} answered", why))
    gaps: dict[tuple[str, str], list[str]] = {}
    for estimate in results.estimates:
        if estimate.baseline is None and (estimate.value is None or estimate.low is None):
            name = results.title(estimate.metric)
            if estimate.slice != "all":
                name += f" for {estimate.slice}"
            gaps.setdefault((estimate.model, estimate.reason or "no interval"), []).append(name)
    for (model, reason), names in gaps.items():
        shown = listing([*names[:4], *([f"{len(names) - 4} more"] if len(names) > 4 else [])])
        found.append((f"No figure of {model} for {shown}", reason))
    return found


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
    columns = [(name, cells) for name, cells in columns if any(text != "—" for text in cells)]
    body = [
        [str(row.get("model", "")), str(row.get("scenario", "")), *(cells[i] for _, cells in columns)]
        for i, row in enumerate(rows)
    ]
    return [name for name, _ in columns], body


def provenance(results: Results, run: Mapping[str, Any]) -> Pairs:
    """Where the figures come from."""
    pairs: Pairs = [("Run", results.run)]
    if period := _period(run):
        pairs.append(("Played", period))
    if run.get("seed") is not None:
        pairs.append(("Seed", str(run["seed"])))
    for name, facts in _tables(run.get("data")):
        said = [str(facts[key]) for key in ("name", "licence", "source") if facts.get(key)]
        digest = f"SHA-256 {facts['digest']}" if facts.get("digest") else "no digest recorded"
        pairs.append((f"Data: {name}", ". ".join([*said, digest])))
    for name, facts in _tables(run.get("models")):
        said = [str(facts[key]) for key in ("description",) if facts.get(key)]
        pairs.append((f"Model: {name}", ". ".join([*said, _json(facts.get("identity"))])))
    for title, key in (("Versions", "versions"), ("Git", "git"), ("Environment", "environment")):
        if facts := mapping(run.get(key)):
            pairs.append((title, spell(facts)))
    return pairs


def planted(run: Mapping[str, Any]) -> dict[str, str]:
    """Model → its planted flaw, where the run says so."""
    found = {}
    for name, facts in _tables(run.get("models")):
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
        " difference. No difference may be claimed only inside a margin that was set beforehand.",
        f"Nothing beyond {plural(len(results.scenarios()), 'scenario')} was asked"
        f" ({listing(results.scenarios()) or 'none'}): the report is silent on every other kind of request.",
    ]
    suite = mapping(run.get("suite"))
    worlds = [n for n, facts in _tables(suite.get("data")) if facts.get("dataset") == "synthetic"]
    if worlds or any("ynthetic" in str(f.get("name")) for _, f in _tables(run.get("data"))):
        said.insert(0, "The data are simulated. The figures show that the measuring works and how these models"
                    " behave in that world; they say nothing of real users.")
    return said


def suite_text(run: Mapping[str, Any]) -> str:
    """The resolved suite, readable."""
    suite = mapping(run.get("suite"))
    return json.dumps(suite, indent=2, ensure_ascii=False, default=str) if suite else ""


def spell(value: Any) -> str:
    """A fact in one line, whatever its shape.

    >>> spell({"users": 2000, "split": "temporal", "excluded": {"no_test": 3}})
    'users 2,000, split temporal, excluded (no test 3)'
    """
    if isinstance(value, Mapping):
        return ", ".join(
            f"{str(key).replace('_', ' ')} {_inner(inner)}" for key, inner in value.items() if inner is not None
        )
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return exact(value)
    if isinstance(value, list | tuple):
        return listing([spell(inner) for inner in value[:12]])
    return line(value)


def _inner(value: Any) -> str:
    text = spell(value)
    return f"({text})" if isinstance(value, Mapping) and len(value) else text or "none"


def _retries(row: Mapping[str, Any]) -> str:
    attempts, calls = row.get("attempts"), row.get("calls")
    if not isinstance(attempts, int) or not isinstance(calls, int):
        return "—"
    cached = row.get("cached")
    return count(max(0, attempts - calls + (cached if isinstance(cached, int) else 0)))


def _period(run: Mapping[str, Any]) -> str:
    start, end = (str(run.get(key) or "") for key in ("created", "finished"))
    if start and end and start[:10] == end[:10]:
        end = end[11:]
    return " to ".join(part.replace("T", " ") for part in (start, end) if part)


def _tables(value: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(str(name), mapping(facts)) for name, facts in mapping(value).items()]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str) if value is not None else "no identity recorded"
