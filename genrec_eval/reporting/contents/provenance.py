"""Provenance: digests, versions, seeds, the root of the evidence, and the commands that play it again."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from genrec_eval.core.fingerprint import digest
from genrec_eval.reporting.contents.ground import Ground
from genrec_eval.reporting.facts import moment, period, spell
from genrec_eval.reporting.results import mapping
from genrec_eval.reporting.text import line, listing, plural

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the figures come from.

    Attributes
    ----------
    digests
        What is hashed: (of what, SHA-256).
    commands
        (What it does, command, what to know).
    """

    digests: Pairs
    facts: Pairs
    commands: tuple[tuple[str, str, str], ...]
    suite: str
    evidence: tuple[str, str] | None
    """What the root covers, and what it does not show."""


def provenance(on: Ground) -> Provenance:
    """Gather the provenance of a run."""
    return Provenance(_digests(on), _facts(on), tuple(_commands(on)), _suite_text(on), _evidence(on))


def replay(on: Ground) -> tuple[str, str]:
    """The command that plays the run again, and what to know; the command is empty where there is none."""
    given = on.run.get("given")
    if given is None and "given" in on.run:
        return "", "The suite or a model of it was made in Python: only that program plays it again."
    words = ["genrec-eval", "run", str(given or mapping(on.suite).get("name") or "SUITE")]
    for flag, values in (("--set", on.run.get("sets")), ("--only", on.run.get("only"))):
        for value in values or ():
            words += [flag, str(value)]
    if on.run.get("limit") is not None:
        words += ["--limit", str(on.run["limit"])]
    note = "From the folder where it was run"
    if mapping(on.run.get("git")).get("commit"):
        note += f", at commit {line(on.run['git']['commit'], 40)[:12]}"
    if not on.run.get("given"):
        note = "The run did not record how its suite was named; this is its name"
    return shlex.join([*words, "--out", "replay"]), note + ". The suite must resolve to the digest below."


def _digests(on: Ground) -> Pairs:
    pairs = [("Figures: estimates.json, the twin of this page", on.estimates)] if on.estimates else []
    if on.root:
        pairs.append(("Evidence: root of the chain over all records", on.root.root))
    if on.suite:
        pairs.append(("Suite, resolved", digest(on.suite)))
        pairs.append(("Claims", digest(on.suite.get("claims") or [])))
    pairs += [
        (f"Data: {name}", str(facts["digest"])) for name, facts in on.data.items() if facts.get("digest")
    ]
    alike: dict[tuple[str, str], list[str]] = {}
    for name, facts in on.models.items():
        for place in _named(facts.get("identity"), ("training", "prompt", "digest", "source")):
            alike.setdefault(place, []).append(line(name, 60))
    pairs += [(f"{path.capitalize()} of {listing(names)}", found) for (path, found), names in alike.items()]
    for name, facts in mapping(on.run.get("judges")).items():
        dialect = mapping(mapping(facts).get("dialect"))
        if dialect.get("digest"):
            pairs.append(
                (f"Judge {name}: dialect {line(dialect.get('name') or '', 60)}", str(dialect["digest"]))
            )
    pairs += [(f"Rubric {name}", digest(rubric)) for name, rubric in mapping(on.run.get("rubrics")).items()]
    return pairs


def _named(identity: Any, wanted: tuple[str, ...], path: str = "") -> list[tuple[str, str]]:
    """Digests inside an identity, by their keys."""
    found = []
    for key, value in mapping(identity).items():
        place = f"{path}.{key}" if path else str(key)
        if isinstance(value, dict):
            found += _named(value, wanted, place)
        elif isinstance(value, str) and len(value) == 64 and any(word in str(key) for word in wanted):
            found.append((line(place, 80), value))
    return found


def _facts(on: Ground) -> Pairs:
    run = on.run
    pairs: Pairs = [("Run", on.results.run)]
    if said := period(run):
        pairs.append(("Played", said))
    if run.get("seed") is not None:
        pairs.append(("Seed", str(run["seed"])))
    if on.sessions:
        ended = on.sessions[-1].get("ended")
        said = (
            f"{plural(len(on.sessions), 'session')}, the first from {moment(on.sessions[0].get('started'))}"
        )
        pairs.append(("Sessions", f"{said}, the last until {moment(ended)}" if ended else said))
    for name, facts in on.data.items():
        said = ". ".join(dict.fromkeys(str(facts[k]) for k in ("name", "licence", "source") if facts.get(k)))
        pairs.append((f"Data: {name}", said or "nothing recorded"))
        if more := spell(mapping(facts.get("facts"))):
            pairs.append((f"Counts of {name}", more))
    for name, facts in on.scenarios.items():
        told = {key: value for key, value in facts.items() if key not in ("facts", "guardrails", "leakage")}
        pairs.append((f"Scenario: {name}", spell(told)))
    for name, facts in on.models.items():
        about = [str(facts["description"]).rstrip(".")] if facts.get("description") else []
        pairs.append((f"Model: {name}", ". ".join([*about, _json(facts.get("identity"))])))
    for name, facts in mapping(run.get("judges")).items():
        pairs.append((f"Judge: {name}", _json(mapping(facts).get("identity"))))
    for title, key in (("Versions", "versions"), ("Git", "git"), ("Environment", "environment")):
        if facts := mapping(run.get(key)):
            pairs.append((title, spell(facts)))
    return pairs


def _evidence(on: Ground) -> tuple[str, str] | None:
    if on.root is None:
        return None
    said = f"The root covers {plural(on.root.rows, 'row')} of {plural(on.root.files, 'file')}"
    if on.root.redacted:
        said += f"; the texts of {plural(on.root.redacted, 'row')} were taken out since"
    said += "; a signature lies beside it" if on.root.signed else "; no signature lies beside it"
    return said + ".", on.root.statement


def _commands(on: Ground) -> list[tuple[str, str, str]]:
    command, note = replay(on)
    checks = (
        "from the stored records, without asking any model; the digest of estimates.json must be the same"
    )
    check = "hashes every record again and recomputes every figure"
    check += "; the root must be the one below" if on.root else ""
    return [
        ("Play it again", command, note),
        ("Redo the figures", "genrec-eval score RUN", checks),
        ("Check the evidence", "genrec-eval verify RUN", check),
    ]


def _suite_text(on: Ground) -> str:
    return json.dumps(on.suite, indent=2, ensure_ascii=False, default=str) if on.suite else ""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str) if value is not None else "no identity recorded"
