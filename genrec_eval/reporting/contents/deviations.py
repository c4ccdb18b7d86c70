"""Deviations from the plan: what the run recorded of itself, then what the suite states."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from genrec_eval.core.numbers import count
from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.answer import few
from genrec_eval.reporting.claimed import doubt, full_claim, misread
from genrec_eval.reporting.contents.ground import Ground
from genrec_eval.reporting.contents.registered import plan_deviations
from genrec_eval.reporting.facts import moment
from genrec_eval.reporting.results import mapping
from genrec_eval.reporting.rules import asked
from genrec_eval.reporting.text import line, listing, plural
from genrec_eval.suite.rule import PAIRED

Deviation = tuple[str, str]
"""What, and the particulars."""


def deviations(on: Ground) -> list[Deviation]:
    """Everything in which this run departs from its suite as written and played once, whole."""
    found = [*plan_deviations(on.run), *_asked_less(on), *_sessions(on), *_since(on), *_gaps(on)]
    found += [*_titles(on), *_checkout(on)]
    return found + [("Stated in the suite", line(text, 2000)) for text in on.audit.deviations]


LOOKED_FOR = (
    "a registered plan, where the suite names one, parts left out (--only), samples (--limit), overridden"
    " values (--set), earlier runs set aside (--fresh),"
    " interruptions, a suite, claims or seed that changed between sessions, budgets that were reached, models"
    " that were given up, data that were not there, claims without a figure, titles that say something else"
    " than was tested, and a checkout with changes"
)
"""What a deviation is looked for in."""


def unrecorded(on: Ground) -> str:
    """What cannot be said because the run was played by a version that kept no sessions; else empty."""
    if on.sessions or not on.run:
        return ""
    return (
        "The run kept no record of its sessions: whether it was interrupted or its suite changed is unknown."
    )


def _asked_less(on: Ground) -> list[Deviation]:
    run, found = on.run, []
    if only := run.get("only"):
        found.append(("Only a part was asked", " ".join(f"--only {line(text, 100)}" for text in only)))
    if run.get("limit") is not None:
        found.append(
            ("A sample was asked", f"--limit {count(run['limit'])}: at most so many cases of each scenario")
        )
    if sets := run.get("sets"):
        said = ", ".join(line(text, 200) for text in sets)
        found.append((f"{plural(len(sets), 'value was', 'values were')} overridden (--set)", said))
    return found


def _sessions(on: Ground) -> list[Deviation]:
    rows = on.sessions
    found: list[Deviation] = []
    if aside := [one["aside"] for one in rows if one.get("aside")]:
        names = listing([line(name, 100) for name in aside])
        found.append(("An earlier run was set aside (--fresh)", f"it lies in {names}, beside this directory"))
    if broken := [one for one in rows[:-1] if not one.get("ended")]:
        when = listing([moment(one.get("started")) for one in broken[:5]])
        found.append(
            (
                f"Interrupted and resumed {plural(len(broken), 'time')}",
                f"the session of {when} did not end; what it had answered was kept and not asked again",
            )
        )
    for key, title in (
        ("suite", "The suite changed between sessions"),
        ("claims", "The claims changed after the first session"),
        ("seed", "The seed changed between sessions"),
        ("plan", "The registered plan changed between sessions"),
        ("version", "The version of genrec-eval changed between sessions"),
    ):
        found += _changed(rows, key, title)
    return found


def _changed(rows: list[dict[str, Any]], key: str, title: str) -> list[Deviation]:
    steps = [
        f"{line(before.get(key), 40)} until {moment(before.get('started'))},"
        f" {line(after.get(key), 40)} from {moment(after.get('started'))}"
        for before, after in pairwise(rows)
        if before.get(key) != after.get(key)
    ]
    return [(title, "; ".join(steps[:5]))] if steps else []


def _since(on: Ground) -> list[Deviation]:
    before = mapping(on.before.get("suite"))
    if not before:
        return []
    name = line(on.before.get("run") or "unnamed", 60)
    found = []
    if (before.get("claims") or []) != (on.suite.get("claims") or []):
        found.append(("The claims are not those of the earlier run", f"earlier run {name}"))
    if on.before.get("seed") != on.run.get("seed"):
        seeds = f"{line(on.before.get('seed'), 40)} then, {line(on.run.get('seed'), 40)} now"
        found.append(("The seed is not that of the earlier run", seeds))
    return found


def _gaps(on: Ground) -> list[Deviation]:
    found = []
    for row in on.results.coverage:
        if on.results.left_out(row) or (row.state == "run" and not row.reason):
            continue
        reason = line(row.reason or "no reason was recorded", 1000)
        if "left out by --only" in reason:
            continue  # said once, above
        what = {"partial": "was played in part", "not-run": "was not played"}.get(
            row.state, "had failed cases"
        )
        found.append((f"{row.model} {what} in {row.scenario}", reason))
    missing = [row for row in on.results.verdicts if row.gate and row.verdict is Ruling.NOT_RUN]
    found += [
        (f"No figure for the claim “{line(row.claim, 200)}”", line(row.reason, 1000)) for row in missing
    ]
    return found


def _titles(on: Ground) -> list[Deviation]:
    """Claims and rules of the gate that tested something else than their titles say."""
    found: list[Deviation] = []
    for row in on.results.verdicts:
        if said := doubt(on.results, row):
            found.append((f"Tested was: {full_claim(on.results, row)}", f"“{line(row.claim, 200)}”. {said}"))
    told: dict[tuple[str, str, str], list[str]] = {}
    for rule in on.gate_rows:
        kind, unit = str(rule.get("kind") or ""), str(rule.get("unit") or "")
        margin, title = rule.get("margin"), line(rule.get("rule") or "", 200)
        if not isinstance(margin, int | float):
            continue
        if said := misread(title, float(margin), unit, kind, kind in PAIRED):
            what = f"{on.results.title(str(rule.get('metric')))} {asked(kind, float(margin), unit, None)}"
            models = told.setdefault((what, title, said), [])
            models.append(line(rule.get("model") or "", 60))
    return found + [
        (f"Tested by the gate was: {what} ({few(list(dict.fromkeys(models)))})", f"“{title}”. {said}")
        for (what, title, said), models in told.items()
    ]


def _checkout(on: Ground) -> list[Deviation]:
    git = mapping(on.run.get("git"))
    if git.get("changed") or git.get("dirty"):
        commit = line(git.get("commit") or "unknown", 40)
        return [("The checkout held changes that no commit holds", f"on top of {commit}")]
    return []
