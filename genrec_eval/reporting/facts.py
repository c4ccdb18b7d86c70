"""What was tested, how it was played, and facts of a run as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genrec_eval.core.numbers import count, exact, money, seconds
from genrec_eval.reporting.answer import few
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.text import line, listing, plural

Pairs = list[tuple[str, str]]

NOT_PUT = "not_attempted"
"""Status of a question that was planned and never put."""
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
        protocol, whom = [plural(len(scenarios), "scenario"), listing([name for name, _ in scenarios])], []
    else:
        protocol = [f"{name}: {_protocol(facts)}" for name, facts in scenarios]
        whom = [text for _, facts in scenarios if (text := population(facts))]
    attempted = sum(row.attempted for row in results.coverage)
    return [
        (name, value)
        for name, value in (
            ("Systems", f"{plural(len(models), 'model')}: {listing(models)}" if models else ""),
            ("Data", "; ".join(data)),
            ("Scenarios", "; ".join(protocol) or listing(results.scenarios())),
            ("Population", "; ".join(whom) if attempted or not results.coverage else ""),
            ("Questions", _questions(results)),
            ("When", period(run)),
            ("Seed", str(run["seed"]) if run.get("seed") is not None else ""),
        )
        if value
    ]


def _questions(results: Results) -> str:
    # "Answered" counts whatever came back; what could be used is what a reader takes it for.
    attempted = sum(row.attempted for row in results.coverage)
    unput = {row.model: 0 for row in results.coverage}
    statuses: dict[str, int] = {}
    for row in results.coverage:
        for name, n in row.statuses.items():
            if name == NOT_PUT:
                unput[row.model] += n
            else:
                statuses[name] = statuses.get(name, 0) + n
    missed = {line(model, 60): n for model, n in unput.items() if n}
    if not attempted and not missed:
        return "none" if results.coverage else ""
    answered = sum(row.answered for row in results.coverage)
    planned = attempted + sum(missed.values())
    put = f"{count(attempted)} put" if missed else f"all {count(attempted)} put"
    said = f"{count(planned)} planned; " if missed else ""
    said += (
        f"{put}, {'all' if answered == attempted else count(answered)} answered" if attempted else "none put"
    )
    if missed:
        said += f"; {few([f'{count(n)} to {model} not put' for model, n in missed.items()])}"
    bad = [f"{count(n)} {name.replace('_', ' ')}" for name, n in statuses.items() if name != "ok" and n]
    return f"{said}; of the answers {listing(bad)}" if bad else said


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


def planted(run: Mapping[str, Any]) -> dict[str, str]:
    """Model → its planted flaw, where the run says so."""
    found = {}
    for name, facts in _models(run).items():
        if facts.get("planted"):
            found[name] = "a planted flaw" if facts["planted"] is True else str(facts["planted"])
    return found


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
    """When a run was played, from and to."""
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


_WITHOUT = {
    "no-test": "without a test item",
    "no-truth": "without a wanted test item",
    "no-cold-truth": "without a test item that is new",
    "cold": "without a history",
    "short-history": "with too short a history",
    "too-few-known": "with too few known items",
    "filtered": "filtered out",
}
"""Reason why a user is not asked about → the words for such users."""


def gone(facts: Mapping[str, Any]) -> list[str]:
    """``["10 without a test item"]``: users of the data that could not be asked about, by reason."""
    return [f"{count(n)} {_WITHOUT.get(key, said)}" for key, said, n in _gone(facts)]


def _gone(facts: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    left = mapping(facts.get("excluded_users") or facts.get("excluded"))
    said = ((str(key).replace("_", "-"), n) for key, n in left.items())
    return [(key, line(key, 60).replace("-", " "), n) for key, n in said if isinstance(n, int) and n]


def population(facts: Mapping[str, Any]) -> str:
    """Whom the data hold, who could not be asked about, and who was drawn; the counts add up.

    >>> population({"users_evaluated": 490, "cases": 300, "excluded_users": {"no-test": 10}})
    '500 users; 10 without a test item; 300 of the other 490 drawn'
    >>> population({"users_evaluated": 1934, "cases": 1934})
    '1,934 users, all asked'
    >>> population({"users_evaluated": 5740, "units": 400, "cases": 2400, "ways": 6})
    '5,740 users; 400 of them drawn, each asked in 6 ways'
    >>> population({"users_evaluated": 60, "cases": 120, "texts_per_case": 3})
    '60 users, all asked, 120 questions, 3 texts for each'
    """
    inner = {**facts, **mapping(facts.get("facts"))}
    if inner.get("told"):  # a log of judgements, in which nobody was asked
        return f"{count(inner.get('units'))} prompts"
    users = inner.get("users_sampled_from") or inner.get("users_evaluated") or inner.get("users")
    asked = inner.get("units") or facts.get("cases") or inner.get("cases")
    if not isinstance(users, int):
        return f"{count(asked)} cases" if isinstance(asked, int) and asked else ""
    left = sum(n for *_, n in _gone(inner))
    drawn = isinstance(asked, int) and asked < users  # a limit leaves fewer than there are to ask
    if drawn:
        said = f"{count(asked)} of {f'the other {count(users)}' if left else 'them'} drawn"
    else:
        said = f"the other {count(users)} asked" if left else "all asked"
    texts, variants = inner.get("texts_per_case"), inner.get("variants")
    upto = isinstance(variants, list) and "without_cited" in variants
    ways, cases = inner.get("ways"), facts.get("cases") or inner.get("cases")
    if isinstance(ways, int) and ways > 1:
        said += f", each asked in {count(ways)} ways"
    elif isinstance(cases, int) and cases > users:
        said += f", {count(cases)} questions"
    if isinstance(texts, int) and texts > 1:
        said += f", {'up to ' if upto else ''}{count(texts)} texts for each"
    rest = [*gone(inner), said]
    return f"{count(users + left)} users{'; ' if left or drawn else ', '}{'; '.join(rest)}"


def _tables(value: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(str(name), mapping(facts)) for name, facts in mapping(value).items()]
