"""All contents of the audit, as the report's templates see them under ``audit``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genrec_eval.protocol.results import Verdict
from genrec_eval.reporting.contents.coverage import Covered, coverage
from genrec_eval.reporting.contents.definitions import Defined, defined
from genrec_eval.reporting.contents.deviations import LOOKED_FOR, Deviation, deviations, unrecorded
from genrec_eval.reporting.contents.frameworks import STATES, Mapped, frameworks
from genrec_eval.reporting.contents.ground import Ground
from genrec_eval.reporting.contents.limits import Limit, limits
from genrec_eval.reporting.contents.methods import Methods, methods
from genrec_eval.reporting.contents.provenance import Provenance, provenance
from genrec_eval.reporting.contents.risks import ABSENT, CONSIDERED, MEANT, TESTED, RiskRow, risks
from genrec_eval.reporting.contents.scope import NOT_STATED, Scope, scope
from genrec_eval.reporting.contents.signing import Signing, signing
from genrec_eval.reporting.contents.tradeoffs import Traded, tradeoffs
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.text import plural


@dataclass(frozen=True, slots=True)
class Contents:
    """What makes the report an audit."""

    scope: Scope
    coverage: Covered
    risks: Sequence[RiskRow]
    limits: Sequence[Limit]
    deviations: Sequence[Deviation]
    unrecorded: str
    looked_for: str
    tradeoffs: Traded
    frameworks: Sequence[Mapped]
    states: dict[str, tuple[str, str, str]]
    definitions: Sequence[Defined]
    methods: Methods
    provenance: Provenance
    signing: Signing
    numbers: dict[Verdict, int]
    """Verdict → its position in ``estimates.json``."""
    not_stated: str = NOT_STATED

    @property
    def risk_sentence(self) -> str:
        """How many risks are tested, and how many are not."""
        counts = {
            state: sum(row.state == state for row in self.risks) for state in (TESTED, MEANT, CONSIDERED)
        }
        absent = sum(row.state == ABSENT for row in self.risks)
        words = (
            (counts[TESTED], "tested, wholly or in part"),
            (counts[MEANT], "meant to be tested and not run"),
            (counts[CONSIDERED], "considered and not tested"),
            (absent, "not considered"),
        )
        said = ", ".join(f"{n} {word}" for n, word in words if n)
        return f"{plural(len(self.risks), 'risk')}: {said}."

    @property
    def untested(self) -> list[str]:
        """Titles of the risks that nothing tests."""
        return [row.title for row in self.risks if row.state != TESTED]


def contents(material: Material) -> Contents:
    """Gather all contents of the audit of one run."""
    on = Ground.of(material)
    # as the page numbers the sections of its scenarios
    places = {name: f"s{number}" for number, name in enumerate(on.results.scenarios(), 1)}
    return Contents(
        scope=scope(on),
        coverage=coverage(on),
        risks=risks(on, places),
        limits=limits(on),
        deviations=deviations(on),
        unrecorded=unrecorded(on),
        looked_for=LOOKED_FOR,
        tradeoffs=tradeoffs(on),
        frameworks=frameworks(on, places),
        states=STATES,
        definitions=defined(on),
        methods=methods(on),
        provenance=provenance(on),
        signing=signing(on),
        numbers={verdict: number for number, verdict in enumerate(on.results.verdicts)},
    )
