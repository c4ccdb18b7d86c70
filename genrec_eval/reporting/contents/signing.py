"""What a reviewer signs, who has signed it, and what was said about which part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genrec_eval.reporting.contents.ground import Ground
from genrec_eval.reporting.review import SECTIONS, Comment, Signed
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


@dataclass(frozen=True, slots=True)
class Signing:
    """Everything on review and sign-off.

    Attributes
    ----------
    author
        Who answers for the report, as far as the suite states it.
    sections
        Part of the report → title, for comments.
    """

    run: str
    estimates: str
    root: str
    author: str
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
        reviews=tuple(Shown(one, tuple(_remark(on, c) for c in one.review.comments)) for one in on.reviews),
        faults=on.faults,
        sections=SECTIONS,
    )


def _remark(on: Ground, comment: Comment) -> Remark:
    if comment.section is not None:
        return Remark(SECTIONS[comment.section], f"#{comment.section}", comment.text)
    verdicts = on.results.verdicts
    number = comment.verdict or 0
    if number >= len(verdicts):  # signed on other figures
        return Remark(f"verdict {number}", "", comment.text)
    verdict = verdicts[number]
    return Remark(f"{line(verdict.claim, 200)} ({line(verdict.model, 60)})", "#answer", comment.text)
