"""Risks: tested by what, considered and not tested why, or not considered at all."""

from __future__ import annotations

from dataclasses import dataclass

from genrec_eval.core.content import content
from genrec_eval.reporting.caution import GROUPS, denied
from genrec_eval.reporting.contents.evidence import piece
from genrec_eval.reporting.contents.frameworks import load_framework
from genrec_eval.reporting.contents.ground import Ground
from genrec_eval.reporting.text import line, listing, plural
from genrec_eval.suite.audit import Risk

TESTED, MEANT, CONSIDERED, ABSENT = "TESTED", "NOT RUN", "NOT TESTED", "NOT CONSIDERED"
SHAPES = {TESTED: "v-pass", MEANT: "v-open", CONSIDERED: "v-open", ABSENT: "v-none"}
_MOST = 4


@dataclass(frozen=True, slots=True)
class RiskRow:
    """A risk and what came of it.

    Attributes
    ----------
    found
        What tests it: (words, anchor).
    why
        Why it is not tested, or what remains beside what was.
    """

    title: str
    asks: str
    state: str
    found: tuple[tuple[str, str], ...]
    more: int
    why: str
    own: bool = False

    @property
    def shape(self) -> str:
        """Of the word."""
        return SHAPES[self.state]


def risks(on: Ground, places: dict[str, str]) -> list[RiskRow]:
    """Risks of the suite that belong to no built-in area, then every area, what is not tested first."""
    own = [_own(on, risk, places) for risk in on.audit.risks if risk.area is None]
    denied = [risk for risk in on.audit.risks if risk.why_not is not None and _judged(on, risk)]
    areas = []
    for row in load_framework(content("reports") / "risks.yaml").rows:
        mine = [risk for risk in on.audit.risks if risk.area == row.id]
        found = [hit for need in row.needs for hit in piece(on, need, places).found]
        stated = [_own(on, risk, places) for risk in mine]
        found += [hit for one in stated for hit in one.found if hit not in found]
        said = [": ".join(filter(None, (one.title.rstrip("."), one.why.rstrip(".")))) for one in stated]
        if found:
            if row.id == GROUPS:
                said += [
                    f"The suite says that '{line(risk.risk, 200)}' is not tested"
                    for risk in denied
                    if risk.area is None
                ]
            state, why = TESTED, ". ".join([*said, *([f"Not tested: {row.beyond}"] if row.beyond else [])])
        elif mine:
            state = MEANT if any(one.state == MEANT for one in stated) else CONSIDERED
            why = ". ".join(said)
        else:
            state = ABSENT
            given = listing([need.what for need in row.needs])
            why = f"No scenario of the suite gives {given}." if given else str(row.beyond or "")
        areas.append(
            RiskRow(row.title, row.asks, state, tuple(found[:_MOST]), max(0, len(found) - _MOST), why)
        )
    order = [ABSENT, CONSIDERED, MEANT, TESTED]
    return sorted([*own, *areas], key=lambda one: order.index(one.state))


def _own(on: Ground, risk: Risk, places: dict[str, str]) -> RiskRow:
    if risk.why_not is not None:
        judged = _judged(on, risk)
        why = risk.why_not
        if judged:
            said = plural(
                len(judged), "verdict on a group of people speaks", "verdicts on groups of people speak"
            )
            why = f"{why.rstrip('.')}. At odds with this: {said} of it; read them with that reason in mind"
        return RiskRow(risk.risk, "", CONSIDERED, judged[:_MOST], max(0, len(judged) - _MOST), why, own=True)
    played = [name for name in risk.scenarios if name in on.kinds]
    missed = [name for name in risk.scenarios if name not in on.kinds]
    found = tuple((f"scenario {name}", f"#{places.get(name, 'scope')}") for name in played)
    why = f"{listing(missed)} {'was' if len(missed) == 1 else 'were'} not run" if missed else ""
    return RiskRow(risk.risk, "", TESTED if played else MEANT, found, 0, why, own=True)


def _judged(on: Ground, risk: Risk) -> tuple[tuple[str, str], ...]:
    """Claims and rules of the gate on the groups of people that a risk is about: (words, anchor)."""
    if risk.area not in (None, GROUPS):
        return ()
    rows = [row for row in on.results.verdicts if row.gate and row.slice != "all"]
    slices = [row.slice for row in rows] + [line(row.get("slice") or "all", 60) for row in on.gate_rows]
    mine = [one for one in denied(on.run, slices) if (one.risk, one.why) == (risk.risk, risk.why_not)]
    found = [
        (f"claim on {line(row.slice, 60)} of {line(row.model, 60)}: {row.verdict.value}", "#answer")
        for row in rows
        if any(one.about(row.slice) for one in mine)
    ]
    for row in on.gate_rows:
        slice, model, verdict = (line(row.get(key) or "all", 60) for key in ("slice", "model", "verdict"))
        if any(one.about(slice) for one in mine):
            found.append((f"gate on {slice} of {model}: {verdict}", "#gate"))
    return tuple(found)
