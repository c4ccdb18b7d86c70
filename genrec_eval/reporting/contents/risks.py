"""Risks: tested by what, considered and not tested why, or not considered at all."""

from __future__ import annotations

from dataclasses import dataclass

from genrec_eval.core.content import content
from genrec_eval.reporting.contents.evidence import piece
from genrec_eval.reporting.contents.frameworks import load_framework
from genrec_eval.reporting.contents.ground import Ground
from genrec_eval.reporting.text import listing
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
    areas = []
    for row in load_framework(content("reports") / "risks.yaml").rows:
        mine = [risk for risk in on.audit.risks if risk.area == row.id]
        found = [hit for need in row.needs for hit in piece(on, need, places).found]
        stated = [_own(on, risk, places) for risk in mine]
        found += [hit for one in stated for hit in one.found if hit not in found]
        said = [": ".join(filter(None, (one.title.rstrip("."), one.why.rstrip(".")))) for one in stated]
        if found:
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
        return RiskRow(risk.risk, "", CONSIDERED, (), 0, risk.why_not, own=True)
    played = [name for name in risk.scenarios if name in on.kinds]
    missed = [name for name in risk.scenarios if name not in on.kinds]
    found = tuple((f"scenario {name}", f"#{places.get(name, 'scope')}") for name in played)
    why = f"{listing(missed)} {'was' if len(missed) == 1 else 'were'} not run" if missed else ""
    return RiskRow(risk.risk, "", TESTED if played else MEANT, found, 0, why, own=True)
