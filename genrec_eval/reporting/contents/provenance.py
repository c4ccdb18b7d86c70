"""Provenance: digests, versions, seeds, the root of the evidence, and the commands that play it again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genrec_eval.audit.gating.opening import GATE_FILE
from genrec_eval.core.fingerprint import digest
from genrec_eval.reporting.contents.ground import Ground
from genrec_eval.reporting.contents.registered import plan_facts, plan_sentence
from genrec_eval.reporting.facts import moment, period, spell
from genrec_eval.reporting.results import mapping, read_json
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
        (What it does, command, what to know), in the order in which they are to be given; a step without a
        command says what there must be.
    folders
        What the names of folders in them stand for.
    """

    digests: Pairs
    facts: Pairs
    commands: tuple[tuple[str, str, str], ...]
    folders: str
    suite: str
    evidence: tuple[str, str] | None
    """What the root covers, and what it does not show."""


def provenance(on: Ground) -> Provenance:
    """Gather the provenance of a run."""
    return Provenance(
        _digests(on), _facts(on), tuple(_commands(on)), folders(on), _suite_text(on), _evidence(on)
    )


def replay(run: Mapping[str, Any], out: str = "replay") -> tuple[str, str]:
    """The command that plays a run again, and what to know; the command is empty where there is none."""
    given, suite = run.get("given"), mapping(run.get("suite"))
    if given is None and "given" in run:
        return "", "The suite or a model of it was made in Python: only that program plays it again."
    words = ["genrec-eval", "run", str(given or suite.get("name") or "SUITE")]
    for flag, values in (("--set", run.get("sets")), ("--only", run.get("only"))):
        for value in values or ():
            words += [flag, str(value)]
    if run.get("limit") is not None:
        words += ["--limit", str(run["limit"])]
    if given and str(given).endswith((".yaml", ".yml", ".json")):
        note = f"In the folder in which {line(given, 200)} is the file of the suite"
    elif given:
        note = f"In any folder: {line(given, 100)} is a suite of genrec-eval"
    else:
        note = "The run did not record how its suite was named; this is its name"
    if commit := mapping(run.get("git")).get("commit"):
        note += f"; it was played at commit {line(commit, 40)[:12]} of that folder"
    if suite:
        note += f". The suite resolves to {digest(suite)[:16]}"
    return shlex.join([*words, "--out", out]), f"{note}. Makes the folder {out}."


def _digests(on: Ground) -> Pairs:
    pairs = [("Figures: estimates.json, the twin of this page", on.estimates)] if on.estimates else []
    if on.root:
        pairs.append(("Evidence: root of the chain over all records", on.root.root))
    if on.suite:
        pairs.append(("Suite, resolved", digest(on.suite)))
        pairs.append(("Claims", digest(on.suite.get("claims") or [])))
    pairs += plan_facts(on.run)
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
    if said := plan_sentence(run):
        pairs.append(("Registered plan", said))
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
    """All that leads from nothing to this page, in its order."""
    steps = [_install(on), *_needed(on)]
    earlier = bool(on.before)
    if earlier:
        command, note = replay(on.before, "earlier")
        name = f"It is the run {line(on.before.get('run') or 'unnamed', 60)} that this page is held against. "
        steps.append(("Play the earlier run again", command, name + note))
    against = _gate_against(on)
    if against not in ("", _EARLIER):
        steps.append(("The baseline of the gate", "", _baseline(on)))
    steps.append(("Play this run again", *replay(on.run)))
    steps.append(
        (
            "Compare it with this run",
            "genrec-eval compare RUN replay",
            "every figure must be unchanged, as far as its models answer the same when asked again",
        )
    )
    steps.append(
        (
            "Redo the figures",
            "genrec-eval score RUN",
            "from the stored records, without asking any model; the digest of estimates.json must stay",
        )
    )
    check = "hashes every record again and recomputes every figure"
    check += "; the root must be the one below" if on.root else ""
    steps.append(("Check the evidence", "genrec-eval verify RUN", check))
    if on.gate_rows:
        given = f" --baseline {against}" if against else ""
        steps.append(("Decide the gate again", f"genrec-eval gate RUN{given}", "writes gate.json in RUN"))
    given = f" --against {_EARLIER}" if earlier else ""
    steps.append(("Make this page again", f"genrec-eval report RUN{given}", "writes report.html in RUN"))
    return steps


_EARLIER = "EARLIER"


def _install(on: Ground) -> tuple[str, str, str]:
    version = mapping(on.run.get("versions")).get("genrec-eval")
    wanted = f"genrec-eval=={version}" if version else "genrec-eval"
    python = mapping(on.run.get("environment")).get("python")
    said = f"It was played with Python {line(python, 40)}; " if python else ""
    return (
        "Install",
        shlex.join(["pip", "install", line(wanted, 100)]),
        f"{said}the packages that it was played with stand under Versions, below. Where no index holds that"
        " version: pip install . in a checkout of genrec-eval that has it",
    )


def _needed(on: Ground) -> list[tuple[str, str, str]]:
    """What data there must be, and the digest that says that they are the same."""
    declared = mapping(on.suite.get("data"))
    found = []
    for name, facts in on.data.items():
        source = line(facts.get("source") or "", 300)
        if "generated by genrec-eval" in source:
            said = "nothing to fetch, the run makes them"
        else:
            path = mapping(declared.get(name)).get("path")
            where = f", where the suite looks for them: {line(path, 200)}" if path else ""
            source = source or "a source that is not stated"
            said = f"{line(facts.get('name') or name, 100)}, from {source}{where}"
        check = f"; their digest must be {line(facts['digest'], 64)}" if facts.get("digest") else ""
        found.append((f"Data: {line(name, 60)}", "", f"{said}{check}"))
    return found


def _gate_against(on: Ground) -> str:
    """What the gate is decided against: the earlier run of this page, another baseline, or nothing."""
    if not any(row.get("against") for row in on.gate_rows):
        return ""
    document = mapping(read_json(on.directory / GATE_FILE))
    known = document.get("baseline_run")
    if on.before and known in (None, on.before.get("run")):
        return _EARLIER
    return shlex.quote(line(document.get("baseline") or "BASELINE", 300))


def _baseline(on: Ground) -> str:
    document = mapping(read_json(on.directory / GATE_FILE))
    known = document.get("baseline_run")
    made = f", made from the run {line(known, 60)}" if known else ""
    return (
        f"{line(document.get('baseline') or 'not named', 300)}{made}. This page is not held against that run:"
        " how it is played again stands in its own report"
    )


def folders(on: Ground) -> str:
    """What the names in the commands stand for."""
    # not by its name: a run that is moved and scored again keeps every byte of its page
    said = f"RUN is the folder of this run: its run.json is of {line(on.results.run, 60)}"
    if on.before:
        earlier = line(on.before.get("run") or "unnamed", 60)
        said += f"; EARLIER that of the earlier run: its run.json is of {earlier}"
        said += ". replay and earlier, made by the commands, may stand for them"
    return f"{said}."


def _suite_text(on: Ground) -> str:
    return json.dumps(on.suite, indent=2, ensure_ascii=False, default=str) if on.suite else ""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str) if value is not None else "no identity recorded"
