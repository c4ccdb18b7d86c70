"""What all contents of the audit are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from genrec_eval.audit.chain.evidence import Root, read_root
from genrec_eval.audit.gating.opening import GATE_FILE
from genrec_eval.core.errors import UsageError
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.results import Results, mapping, read_json
from genrec_eval.reporting.review import Signed, estimates_digest, evidence_root, stored_reviews
from genrec_eval.suite.audit import Audit


@dataclass(frozen=True)
class Ground:
    """A run with what its suite states and what was reviewed.

    Attributes
    ----------
    audit
        ``audit`` of the suite; every key may be missing.
    stated
        Whether the suite has that key at all.
    estimates
        SHA-256 of ``estimates.json``.
    root
        Root of the evidence chain and what it covers, or None.
    reviews, faults
        Reviews that are kept with the run, and what is wrong with files that are none.
    before
        ``run.json`` of the earlier run that this one is held against; empty where there is none.
    reference
        Id of that run and root of its evidence; empty where there is none.
    sidecar
        Where the instances beside the page lie, if any do.
    """

    results: Results
    run: Mapping[str, Any]
    directory: Path
    flaws: Mapping[str, str]
    audit: Audit
    stated: bool
    estimates: str
    root: Root | None
    reviews: Sequence[Signed] = ()
    faults: Sequence[str] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    reference: tuple[str, str] = ("", "")
    sidecar: Path | None = None

    @classmethod
    def of(cls, material: Material) -> Ground:
        """Read what lies beside the figures of a run."""
        said = mapping(material.run.get("suite")).get("audit")
        try:
            audit = Audit.model_validate(said or {})
        except ValidationError:
            raise UsageError(
                f"{material.directory / 'run.json'}: 'suite.audit' is not as genrec-eval writes it;"
                " run the suite again"
            ) from None
        estimates = estimates_digest(material.directory) or ""
        reviews, faults = stored_reviews(material.directory, estimates)
        return cls(
            material.results,
            material.run,
            material.directory,
            material.flaws,
            audit,
            bool(said),
            estimates,
            read_root(material.directory),
            reviews,
            faults,
            _earlier(material.against),
            _reference(material),
            material.sidecar,
        )

    @property
    def suite(self) -> dict[str, Any]:
        """The resolved suite."""
        return mapping(self.run.get("suite"))

    @cached_property
    def scenarios(self) -> dict[str, dict[str, Any]]:
        """Scenario → its facts, with what it was made ready with."""
        found = {}
        for name, facts in mapping(self.run.get("scenarios")).items():
            facts = mapping(facts)
            found[str(name)] = {**facts, **mapping(facts.get("facts"))}
        return found

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Scenario → its kind, of those that were played."""
        declared = mapping(self.suite.get("scenarios"))
        played = {row.scenario for row in self.results.coverage if row.state != "not-run"}
        played |= {row.scenario for row in self.results.estimates}
        return {
            name: str(
                mapping(self.run.get("scenarios", {}).get(name)).get("scenario")
                or mapping(declared.get(name)).get("scenario")
                or ""
            )
            for name in self.results.scenarios()
            if name in played
        }

    @cached_property
    def models(self) -> dict[str, dict[str, Any]]:
        """Model → what the run says of it, in the first scenario that it played."""
        found = {}
        for name, facts in mapping(self.run.get("models")).items():
            facts = mapping(facts)
            flat = any(key in facts for key in ("identity", "description", "planted"))
            found[str(name)] = facts if flat else mapping(next(iter(facts.values()), None))
        return found

    @cached_property
    def data(self) -> dict[str, dict[str, Any]]:
        """Data set → what the run says of it."""
        return {str(name): mapping(facts) for name, facts in mapping(self.run.get("data")).items()}

    @cached_property
    def valued(self) -> dict[str, list[str]]:
        """Name of a metric → scenarios in which it has a value."""
        found: dict[str, list[str]] = {}
        for row in self.results.estimates:
            if row.value is None or row.baseline is not None:
                continue
            name = str(self.results.definition(row.metric).get("name") or row.metric.split("@")[0])
            places = found.setdefault(name.split("(")[0], [])
            if row.scenario not in places:
                places.append(row.scenario)
        return found

    @cached_property
    def gate_rows(self) -> list[dict[str, Any]]:
        """Rows of the gate's verdict, where the run directory holds one."""
        file = self.directory / GATE_FILE
        rows = mapping(read_json(file)).get("rows") if file.is_file() else None
        return [mapping(row) for row in rows] if isinstance(rows, list) else []

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """Each time that the run was played into."""
        return [mapping(one) for one in self.run.get("sessions") or () if isinstance(one, Mapping)]


def _earlier(directory: Path | None) -> dict[str, Any]:
    file = None if directory is None else directory / "run.json"
    return mapping(read_json(file)) if file is not None and file.is_file() else {}


def _reference(material: Material) -> tuple[str, str]:
    if material.comparison is None or material.against is None:
        return "", ""
    return material.comparison.reference_run, evidence_root(material.against) or ""
