"""Reviews: comments and a sign-off on the report of one run, bound to its figures, kept beside them."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, ValidationError, field_validator, model_validator

from genrec_eval.audit.chain.evidence import read_root
from genrec_eval.audit.gating.opening import GATE_FILE
from genrec_eval.audit.results import ESTIMATES_FILE
from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.faults import FileError, sentence
from genrec_eval.core.fingerprint import canonical, digest_file
from genrec_eval.core.strict import StrictModel
from genrec_eval.core.yaml import Node
from genrec_eval.reporting.text import line

SCHEMA = "genrec-eval/review/1"
REVIEWS_FOLDER = "reviews"
MOST_BYTES = 1_000_000
MOST_REVIEWS = 50
"""Reviews of one run that are kept."""

SECTIONS = {
    "answer": "The answer",
    "tested": "What was tested",
    "gate": "Gate",
    "comparison": "Since an earlier run",
    "matrix": "Figures",
    "tradeoffs": "Trade-offs",
    "instances": "Instances",
    "scope": "Scope",
    "coverage": "Coverage and risks",
    "limits": "What must not be concluded",
    "deviations": "Deviations from the plan",
    "frameworks": "Frameworks",
    "definitions": "Definitions",
    "play": "Play and cost",
    "provenance": "Provenance",
}
"""Parts of the report that a comment may be about, by their anchor → their titles."""

_LATER = ("gate", "reference", "reference_evidence", "instances")
"""Keys that reviews of earlier versions do not have: their digests must stay what they were."""

Decision = Literal["accepted", "accepted with comments", "sent back"]
Short = Annotated[str, Field(max_length=200)]
Long = Annotated[str, Field(max_length=5000)]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Comment(StrictModel):
    """What a reviewer said about one part of the report."""

    section: str | None = Field(None, description="Part of the report.")
    verdict: int | None = Field(None, ge=0, description="Position of a verdict in estimates.json.")
    title: str | None = Field(None, max_length=300, description="What it was about, as the page said it.")
    text: str = Field(min_length=1, max_length=5000)

    @field_validator("section")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        if name is not None and name not in SECTIONS:
            raise ValueError(f"the report has no part '{line(name, 60)}'{did_you_mean(name, SECTIONS)}")
        return name

    @model_validator(mode="after")
    def _about_one(self) -> Comment:
        if (self.section is None) == (self.verdict is None):
            raise ValueError("a comment is about a 'section' or about a 'verdict', one of both")
        return self


class Review(StrictModel):
    """A review as the page saves it."""

    schema_: Literal["genrec-eval/review/1"] = Field(alias="schema")
    run: Short = Field(description="Id of the run.")
    estimates: Hex = Field(description="SHA-256 of its estimates.json: what was signed.")
    evidence: Hex | None = Field(None, description="Root of its evidence chain, where it has one.")
    gate: Hex | None = Field(None, description="SHA-256 of its gate.json, where the page showed one.")
    reference: Short | None = Field(None, description="Id of the run that the page held it against.")
    reference_evidence: Hex | None = Field(None, description="Root of the evidence of that run.")
    instances: Hex | None = Field(None, description="SHA-256 of the file of instances beside the page.")
    author: Short = Field("", description="Who answers for the report.")
    reviewer: Short = Field(min_length=1, description="Who reviewed it.")
    role: Short = Field("", description="As what.")
    date: str = Field(description="When, as 2026-11-23.")
    independence: Long = Field("", description="How the reviewer stands to those who made and ran it.")
    decision: Decision = Field(description="What the review came to.")
    comment: Long = Field("", description="On the report as a whole.")
    comments: tuple[Comment, ...] = Field((), max_length=500, description="On parts of it.")

    @field_validator("reviewer")
    @classmethod
    def _named(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("a review is signed with a name")
        return name

    @field_validator("date")
    @classmethod
    def _is_day(cls, day: str) -> str:
        try:
            return datetime.date.fromisoformat(day).isoformat()
        except ValueError:
            raise ValueError(f"'{line(day, 40)}' is no day; write it as 2026-11-23") from None

    def to_json(self) -> dict[str, Any]:
        """Plain values, as they are written; what later versions added is left out where it is not said."""
        plain = self.model_dump(mode="json", by_alias=True)
        for held, names in ((plain, _LATER), *((comment, ("title",)) for comment in plain["comments"])):
            for name in names:
                if held[name] is None:
                    del held[name]
        return plain


@dataclass(frozen=True, slots=True)
class Signed:
    """A review of a run.

    Attributes
    ----------
    digest
        Of its content.
    current
        Whether it is about the figures that the run holds now.
    gate_changed
        Whether the gate was decided again since, or its verdict taken away.
    """

    review: Review
    digest: str
    current: bool
    gate_changed: bool = False


def read_review(path: Path) -> Review:
    """Read a review from a file, which may come from anybody.

    Raises
    ------
    UsageError
        When it cannot be read, is too large, or is no review; with every fault and its place.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path} is larger than {MOST_BYTES // 1_000_000} MB, which no review is")
        value = orjson.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path} is not valid JSON ({error}); give the file that the report saved") from None
    schema = value.get("schema") if isinstance(value, dict) else None
    if schema != SCHEMA:
        raise UsageError(
            f"{path} is no review: its schema is {line(schema, 60)!r} and this version reads '{SCHEMA}';"
            " give the file that the report saved"
        )
    try:
        return Review.model_validate(value)
    except ValidationError as error:
        faults = []
        for fault in error.errors(include_url=False)[:20]:
            place = ".".join(map(str, fault["loc"]))
            missing = fault["type"] == "missing"
            said = "is missing" if missing else line(sentence(fault, Node(fault["input"], str(path))), 300)
            faults.append(f"{path}: {line(place, 100)}{' ' if missing else ': '}{said}")
        raise FileError(faults) from None


def digest_of(review: Review) -> str:
    """SHA-256 of the content of a review."""
    return hashlib.sha256(canonical(review.to_json())).hexdigest()


def check_review(
    review: Review,
    path: Path,
    run: str,
    estimates: str,
    evidence: str | None,
    verdicts: int,
    gate: str | None = None,
) -> None:
    """Refuse a review that is about something else.

    Parameters
    ----------
    run, estimates, evidence
        Id of the run, digest of its figures and root of its evidence, as they are now.
    verdicts
        Number of verdicts that it holds.
    gate
        Digest of the gate's verdict beside it, where there is one.

    Raises
    ------
    UsageError
        When the review is of another run, of other figures, or speaks of a verdict that is not there.
    """
    if review.run != run:
        raise UsageError(
            f"{path} reviews the run {line(review.run, 60)}, and this is the run {line(run, 60)};"
            " give the directory of the run that was reviewed"
        )
    if review.estimates != estimates:
        raise UsageError(
            f"{path} was signed on other figures of this run (estimates.json {review.estimates[:12]}…, and"
            f" now {estimates[:12]}…): it was played or scored again since; have the new report reviewed"
        )
    if review.evidence and evidence and review.evidence != evidence:
        raise UsageError(
            f"{path} was signed on other evidence of this run (root {review.evidence[:12]}…, and now"
            f" {evidence[:12]}…): it was played again, or its records were changed since"
        )
    if review.gate and gate and review.gate != gate:
        raise UsageError(
            f"{path} was signed beside another verdict of the gate (gate.json {review.gate[:12]}…, and now"
            f" {gate[:12]}…): the gate was decided again since; have the new report reviewed"
        )
    for number, comment in enumerate(review.comments):
        if comment.verdict is not None and comment.verdict >= verdicts:
            raise UsageError(
                f"{path}: comments.{number}: there is no verdict {comment.verdict};"
                f" the run has {verdicts}, counted from 0"
            )


def merge_reviews(directory: Path, paths: Sequence[Path]) -> list[Path]:
    """Check reviews against a run and keep them in its ``reviews`` folder; all of them or none.

    Returns where they lie. One that is there already is not kept twice.
    """
    from genrec_eval.engine.rundir import write_json
    from genrec_eval.reporting.results import Results

    if not paths:
        return []
    results = Results.load(directory)
    estimates, evidence = estimates_digest(directory), evidence_root(directory)
    found = {}
    for path in paths:
        review = read_review(path)
        verdicts = len(results.verdicts)
        check_review(review, path, results.run, estimates or "", evidence, verdicts, gate_digest(directory))
        found[digest_of(review)] = review
    folder = directory / REVIEWS_FOLDER
    places = {digest: folder / f"{digest}.json" for digest in found}
    held = len(list(folder.glob("*.json"))) if folder.is_dir() else 0
    if held + sum(not place.exists() for place in places.values()) > MOST_REVIEWS:
        raise UsageError(f"{folder} would hold more than {MOST_REVIEWS} reviews; take some out of it")
    folder.mkdir(exist_ok=True)
    for digest, place in places.items():
        write_json(place, found[digest].to_json())
    return list(places.values())


def stored_reviews(directory: Path, estimates: str) -> tuple[list[Signed], list[str]]:
    """Reviews of a run, by day and reviewer, and a sentence on each file that is none.

    Parameters
    ----------
    estimates
        Digest of the figures as they are now.
    """
    folder, gate = directory / REVIEWS_FOLDER, gate_digest(directory)
    signed, faults = [], []
    for path in sorted(folder.glob("*.json"))[:MOST_REVIEWS] if folder.is_dir() else ():
        shown = f"{REVIEWS_FOLDER}/{path.name}"
        try:
            review = read_review(path)
        except UsageError as error:
            faults.append(f"{shown} is not shown: {str(error).replace(str(path), 'it')}")
            continue
        digest = digest_of(review)
        if path.stem != digest:
            faults.append(f"{shown} is not shown: its content was changed after it was kept")
            continue
        changed = review.gate is not None and review.gate != gate
        signed.append(Signed(review, digest, review.estimates == estimates, changed))
    return sorted(signed, key=lambda one: (one.review.date, one.review.reviewer, one.digest)), faults


def estimates_digest(directory: Path) -> str | None:
    """SHA-256 of ``estimates.json``, the report's machine-readable twin; None where there is none."""
    path = directory / ESTIMATES_FILE
    return digest_file(path) if path.is_file() else None


def gate_digest(directory: Path) -> str | None:
    """SHA-256 of the gate's verdict that lies beside the figures; None where there is none."""
    path = directory / GATE_FILE
    return digest_file(path) if path.is_file() else None


def evidence_root(directory: Path) -> str | None:
    """Root of the evidence chain of a run, 64 hex digits; None where it has none."""
    root = read_root(directory)
    return None if root is None else root.root
