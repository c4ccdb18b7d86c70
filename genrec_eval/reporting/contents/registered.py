"""Whether a run is the one that was registered, and where it departs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genrec_eval.reporting.facts import moment
from genrec_eval.reporting.results import mapping
from genrec_eval.reporting.text import line, plural

Pairs = list[tuple[str, str]]


def plan_sentence(run: Mapping[str, Any]) -> str:
    """One sentence on the registered plan; empty where the suite names none."""
    plan = mapping(run.get("plan"))
    asked = plan.get("registered")
    if not asked:
        return ""
    named = f"the registered plan {line(asked, 64)[:12]}"
    departures = plan.get("departures")
    if departures is None:
        return f"This is not {named}: the plan as run comes to {line(plan.get('digest'), 64)[:12]}."
    said = (
        f"In {plural(len(departures), 'point')} this run departs from {named}"
        if departures
        else f"This is the run of {named}"
    )
    return f"{said}{_when(plan)}."


def _when(plan: Mapping[str, Any]) -> str:
    if plan.get("late"):
        return f", which was written after the run began ({moment(plan.get('written'))})"
    if plan.get("written"):
        return f", which says that it was written {moment(plan.get('written'))}"
    return "; when it was registered is not known here"


def plan_deviations(run: Mapping[str, Any]) -> Pairs:
    """Each departure from the registered plan, and a plan that came late."""
    plan = mapping(run.get("plan"))
    departures = plan.get("departures")
    found: Pairs = []
    if plan.get("late"):
        found.append(("The plan was written after the run began", f"on {moment(plan.get('written'))}"))
    if plan.get("registered") and departures is None:
        said = "only its digest was registered, so that what differs cannot be listed"
        found.append(("This is not the registered plan", said))
    return found + [("Departs from the registered plan", line(text, 1000)) for text in departures or ()]


def plan_facts(run: Mapping[str, Any]) -> Pairs:
    """Digests of the plan as run, and as registered."""
    plan = mapping(run.get("plan"))
    if not plan.get("digest"):
        return []
    pairs = [("Plan, as run", str(plan["digest"]))]
    if plan.get("registered"):
        where = f" ({line(plan['file'], 100)})" if plan.get("file") else ""
        pairs.append((f"Plan, as registered{where}", str(plan["registered"])))
    return pairs
