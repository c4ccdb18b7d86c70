"""What a reviewer signs, who has signed it, and what was said about which part."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from genrec_eval.core.fingerprint import digest_file
from genrec_eval.reporting.contents.ground import Ground
from genrec_eval.reporting.instances.sidecar import sidecar_key
from genrec_eval.reporting.review import SECTIONS, Comment, Signed, gate_digest
from genrec_eval.reporting.text import line

_SHAPES = {"accepted": "v-pass", "accepted with comments": "v-open", "sent back": "v-fail"}


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment beside what it is about."""

    about: str
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A review as the page shows it."""

    signed: Signed
    remarks: tuple[Remark, ...]

    @property
    def shape(self) -> str:
        """Of the decision."""
        return _SHAPES[self.signed.review.decision]

    @property
    def beside(self) -> list[str]:
        """What lay beside the figures when it was signed."""
        review = self.signed.review
        said = [f"gate.json {review.gate[:12]}…"] if review.gate else []
        if review.reference:
            root = f", root {review.reference_evidence[:12]}…" if review.reference_evidence else ""
            said.append(f"against run {review.reference}{root}")
        return said + ([f"instances {review.instances[:12]}…"] if review.instances else [])


@dataclass(frozen=True, slots=True)
class Signing:
    """Everything on review and sign-off.

    Attributes
    ----------
    author
        Who answers for the report, as far as the suite states it.
    gate, reference, reference_evidence, instances
        Digests of what the page shows beside the figures, and the run it is held against; empty where
        there is none.
    back_to
        To whom a review is returned, in words.
    sections
        Part of the report → title, for comments.
    """

    run: str
    estimates: str
    root: str
    author: str
    gate: str
    reference: str
    reference_evidence: str
    instances: str
    back_to: str
    reviews: tuple[Shown, ...]
    faults: Sequence[str]
    sections: dict[str, str]


def signing(on: Ground) -> Signing:
    """Gather what there is on review and sign-off."""
    return Signing(
        run=on.results.run,
        estimates=on.estimates,
        root=on.root.root if on.root else "",
        author=on.audit.conducted_by or "",
        gate=gate_digest(on.directory) or "",
        reference=on.reference[0],
        reference_evidence=on.reference[1],
        instances=_instances(on),
        back_to=_back_to(on),
        reviews=tuple(
            Shown(one, tuple(_remark(on, comment, one.current) for comment in one.review.comments))
            for one in on.reviews
        ),
        faults=on.faults,
        sections=SECTIONS,
    )


def _back_to(on: Ground) -> str:
    if on.audit.conducted_by:
        return f"those who conducted the audit ({on.audit.conducted_by.strip().rstrip('.')})"
    if on.audit.commissioned_by:
        return f"those who commissioned the audit ({on.audit.commissioned_by.strip().rstrip('.')})"
    return "whoever sent you this page"


def _instances(on: Ground) -> str:
    """Digest of the instances beside the page, where they are of this run and these figures."""
    path = on.sidecar
    if path is None or not path.is_file():
        return ""
    try:
        with gzip.open(path) as stream:
            key = orjson.loads(stream.readline(1000)).get("key")
    except (OSError, EOFError, zlib.error, AttributeError, orjson.JSONDecodeError):
        return ""  # what an earlier report left, or something else of that name
    return digest_file(path) if key == sidecar_key(on.results.run, on.directory) else ""


def _remark(on: Ground, comment: Comment, current: bool) -> Remark:
    if comment.section is not None:
        return Remark(SECTIONS[comment.section], f"#{comment.section}", comment.text)
    verdicts = on.results.verdicts
    number = comment.verdict or 0
    if number >= len(verdicts) or not current:  # signed on other figures
        return Remark(comment.title or f"verdict {number}", "", comment.text)
    verdict = verdicts[number]
    return Remark(f"{line(verdict.claim, 200)} ({line(verdict.model, 60)})", "#answer", comment.text)
