"""One judge's audit as one HTML file: the answer first, nothing from the network, no script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from genrec_eval.core.numbers import count
from genrec_eval.reporting.facts import moment
from genrec_eval.reporting.html import environment, write_page
from genrec_eval.reporting.judge_findings import Finding, Kind, findings, place, sentence
from genrec_eval.reporting.judge_material import BY_PROBES, JudgeMaterial, Part
from genrec_eval.reporting.judge_probes import ProbeFigures
from genrec_eval.reporting.judge_tables import MeasureTable, probe_table, tables
from genrec_eval.reporting.results import mapping
from genrec_eval.reporting.svg import Scale, definitions, gauge
from genrec_eval.reporting.text import block, line, listing, plural

if TYPE_CHECKING:
    from genrec_eval.engine.rundir import RunDirectory

_LONG = 6000
"""Characters of a prompt or an answer that are shown."""
_STYLES = {Kind.FAULT: ("v-fail", "fail"), Kind.OPEN: ("v-open", "open"), Kind.FINE: ("v-pass", "pass")}
_PARTS = {
    "human": "Agreement with people",
    "position": "Position bias",
    "verbosity": "Verbosity bias",
    "self_preference": "Self-preference",
    "injection": "Obedience to injected orders",
    "panel": "Agreement with other judges",
    "degenerate": "Degenerate answers",
    "stability": "Stability over repeats",
}
_PAIRS = "it is about pairs"
_PATH = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding as a card or a row."""

    finding: Finding
    word: str
    shape: str
    style: str
    drawing: Markup


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page."""

    anchor: str
    title: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[MeasureTable, ...]
    degenerate: tuple[tuple[str, str, str, str], ...] = ()
    prompt: tuple[tuple[str, str], ...] = ()
    examples: tuple[tuple[str, str, tuple[tuple[str, tuple[tuple[str, str], ...]], ...]], ...] = ()
    remarks: tuple[str, ...] = ()


def render_judge(directory: RunDirectory, material: JudgeMaterial) -> str:
    """The page of one judge; the same run gives the same text."""
    return str(environment("judge", "run").get_template("judge.html.j2").render(page(directory, material)))


def write_judges(directory: RunDirectory, found: list[JudgeMaterial], out: Path) -> list[Path]:
    """One page per judge: as the file ``out`` where it ends in .html, else into the folder ``out``."""
    if out.suffix == ".html":
        return [write_page(out, render_judge(directory, found[0]))]
    return [
        write_page(out / f"judge-{_PATH.sub('-', one.name)}.html", render_judge(directory, one))
        for one in found
    ]


def page(directory: RunDirectory, material: JudgeMaterial) -> dict[str, Any]:
    """Everything that the template shows."""
    prefixes = [f"p{number}-" for number in range(1, len(material.parts) + 1)]
    found = findings(material, prefixes)
    rows = [_shown(one) for one in found]
    unmeasured = _unmeasured(material)
    run = directory.run
    return {
        "shapes": definitions(),
        "run": str(run.get("run") or directory.path.name),
        "footer": "".join(c for c in f"{material.name} {run.get('run') or ''}" if c.isalnum() or c in "-_. ")[
            :60
        ],
        "name": material.name,
        "about": line(material.about.get("description") or "", 300),
        "when": moment(run.get("finished") or run.get("created")),
        "sentence": sentence(found, len(unmeasured)),
        "cards": [row for row in rows if row.finding.kind is Kind.FAULT],
        "folds": [
            (_fold(kind, some), some, kind is Kind.OPEN)
            for kind in (Kind.OPEN, Kind.FINE)
            if (some := [row for row in rows if row.finding.kind is kind])
        ],
        "tested": _tested(directory, material),
        "unmeasured": unmeasured,
        "sections": list(_sections(material, prefixes)),
        "limits": _limits(material),
        "provenance": _provenance(directory, material),
        "keys": {},
        "br": Markup("<br>"),
    }


def _shown(finding: Finding) -> Shown:
    shape, style = _STYLES[finding.kind]
    drawing, measure = Markup(""), finding.measure
    if (
        measure is not None
        and measure.value is not None
        and measure.low is not None
        and measure.high is not None
    ):
        scale = (
            Scale(0.0, 1.0, 0.5) if finding.unit == "share" and measure.low >= 0 else Scale(-1.0, 1.0, 1.0)
        )
        marks = [
            (margin, f"{margin * 100:g} %" if finding.unit else f"{margin:g}") for margin in finding.margins
        ]
        label = f"{finding.figure}, asked: {finding.asked}"
        drawing = gauge(
            measure.value, measure.low, measure.high, scale, 0, label, marks, scale.ends(finding.unit)
        )
    return Shown(finding, str(finding.kind), shape, style, drawing)


def _fold(kind: Kind, rows: list[Shown]) -> str:
    said = "could not be decided" if kind is Kind.OPEN else "found nothing"
    return f"{plural(len(rows), 'check')} {said}"


def _tested(directory: RunDirectory, material: JudgeMaterial) -> list[tuple[str, str]]:
    about, first = material.about, material.parts[0]
    asked = sum(part.audit.judgements for part in material.parts)
    verdicts = sum(part.audit.verdicts for part in material.parts)
    identity = mapping(about.get("identity"))
    model = identity.get("model") or identity.get("name") or identity.get("target")
    dialects = dict.fromkeys(
        f"{p.dialect.get('name')}, version {p.dialect.get('version')}" for p in material.parts
    )
    told = [
        ("Judge", material.name),
        ("Model", " · ".join(str(one) for one in (model, about.get("adapter")) if one)),
        ("Judgements", f"{count(asked)} asked for, {count(verdicts)} with a verdict"),
        ("Questions", "; ".join(dict.fromkeys(place(part) for part in material.parts))),
        ("Dialect", "; ".join(dialects)),
        ("Planted flaw", str(about.get("planted") or "")),
        ("When", moment(directory.run.get("finished") or directory.run.get("created"))),
        ("Interval", f"{first.audit.level * 100:g} %, resampling whole cases"),
    ]
    return [(name, value) for name, value in told if value]


def _unmeasured(material: JudgeMaterial) -> list[tuple[str, str]]:
    """What has no figure, and why; said once where several parts lack it for one reason."""
    found: dict[tuple[str, str], list[str]] = {}
    whole: set[str] = set()
    for part in material.parts:
        audit, where = part.audit, place(part)
        for name in _PARTS:
            if getattr(audit, name, None) is not None:
                whole.add(name)
        missing = dict(audit.missing)
        if audit.stability.pairs.value is None:
            missing["stability"] = audit.stability.pairs.reason or "it is undefined"
        for name, why in missing.items():
            found.setdefault((name, why), []).append(where)
        for figure in part.probe.figures if part.probe is not None else ():
            if figure.measure.value is None:
                why = figure.measure.reason or "there is no verdict on it"
                found.setdefault((figure.title, why), []).append(
                    f"{part.probe.scenario} · probe" if part.probe else ""
                )
    every, told = len(material.parts), dict[str, list[str]]()
    for (name, why), places in found.items():
        # what one part cannot have by its nature, and another has, is not missing
        if why == BY_PROBES or (name in whole and why.startswith(_PAIRS)):
            continue
        where = "" if len(places) == every else f" ({listing(places)})"
        told.setdefault(why, []).append(f"{_PARTS.get(name, name)}{where}")
    return [(listing(names), why) for why, names in told.items()]


def _sections(material: JudgeMaterial, prefixes: list[str]) -> Iterator[Section]:
    for part, prefix in zip(material.parts, prefixes, strict=True):
        if part.probe is not None:
            yield Section(
                anchor=f"{prefix}probes",
                title=f"{part.probe.scenario} · probes",
                facts=tuple(_probe_facts(part.probe)),
                tables=(probe_table(part.probe, prefix),),
            )
        yield _section(part, prefix)


def _probe_facts(probe: ProbeFigures) -> Iterator[tuple[str, str]]:
    facts = {**probe.facts, **mapping(probe.facts.get("facts"))}
    if facts.get("bases"):
        unfit = facts.get("unfit_bases")
        left = f", {count(unfit)} left out because looking up did not confirm their texts" if unfit else ""
        yield "Made from", f"{count(facts['bases'])} cases of {facts.get('source')}{left}"
    if facts.get("fence") is not None:
        yield "Fences", "answers are marked as data" if facts["fence"] else "answers stand bare in the prompt"
    if facts.get("probes"):
        yield "Probes", listing([str(one) for one in facts["probes"]])


def _section(part: Part, prefix: str) -> Section:
    audit = part.audit
    pairs = audit.task == "pairwise"
    headline = ("share for the better answer" if pairs else "mean score") if part.probed else None
    shown = list(tables(audit, prefix, headline))
    guards = tuple(
        (model, "trips the guard" if guard.tripped else "does not trip it", guard.sentence, _degree(guard))
        for model, guard in (audit.degenerate or {}).items()
    )
    examples = []
    for title, note, some in (
        (
            "Judgements without a verdict",
            "The first few; what is quoted was written by the judge.",
            part.unparsed,
        ),
        (
            "Pairs on which the order changes the verdict",
            "The first few, one answer under the other.",
            part.flipped,
        ),
    ):
        if some:
            told = tuple(
                (line(one.title, 400), tuple((head, block(text, _LONG)) for head, text in one.texts))
                for one in some
            )
            examples.append((title, note, told))
    rubric = part.rubric
    facts = [
        ("Policy", part.policy.replace("|", " · ").replace(":", " ")),
        (
            "Dialect",
            " · ".join(str(v) for v in (part.dialect.get("name"), part.dialect.get("description")) if v),
        ),
        ("Decoding", _decoding(part.dialect)),
        ("Rubric", " · ".join(str(v) for v in (rubric.get("title"), rubric.get("criterion")) if v)),
    ]
    return Section(
        anchor=prefix.rstrip("-"),
        title=place(part),
        facts=tuple((name, value) for name, value in facts if value),
        tables=tuple(shown),
        degenerate=guards,
        prompt=tuple((role, block(text, _LONG)) for role, text in part.prompt),
        examples=tuple(examples),
        remarks=audit.remarks,
    )


def _degree(guard: Any) -> str:
    if guard.most_common is None:
        return ""
    shape, opening = (f"{100 * share:.0f} %" for share in (guard.most_common, guard.opening or 0.0))
    return f"{plural(guard.n, 'text')}, {shape} of them one shape, {opening} one opening"


def _decoding(dialect: Mapping[str, Any]) -> str:
    wanted, sent = dialect.get("decoding"), dialect.get("decoding_sent")
    if not wanted:
        return ""
    told = ", ".join(f"{name} {value}" for name, value in mapping(wanted).items())
    if sent is None:
        return f"the dialect asks for {told}; the model's own options decide"
    left = {name for name in mapping(wanted) if name not in mapping(sent)}
    return told + (f"; the model has no place for {listing(sorted(left))}, or its own" if left else "")


def _limits(material: JudgeMaterial) -> list[str]:
    told = [
        "A judge is measured with this dialect, rubric and model version; with another of any of them it is"
        " another judge.",
        "That no fault was found does not make a judge right: agreement with people on your own cases does.",
    ]
    if any(part.probe is not None for part in material.parts):
        told.append(
            "Probes are worse by facts and form that can be looked up; whether the judge shares people's"
            " taste is not probed, and orders of other wordings may succeed."
        )
    if any(part.audit.human is None and part.probe is None for part in material.parts):
        told.append("Without labels of people it is not known whether its verdicts are right.")
    return told


def _provenance(directory: RunDirectory, material: JudgeMaterial) -> list[tuple[str, str]]:
    run, identity = directory.run, material.about.get("identity")
    suite = mapping(run.get("suite"))
    told = [
        ("Run", str(run.get("run") or "")),
        ("Suite", str(suite.get("name") or "")),
        ("Seed", str(run.get("seed"))),
        ("Judge", json.dumps(identity, ensure_ascii=False, sort_keys=True, default=str) if identity else ""),
        ("Versions", ", ".join(f"{k} {v}" for k, v in mapping(run.get("versions")).items())),
    ]
    return [(name, value) for name, value in told if value]
