"""A run that was redacted is closed: what its texts said cannot be scored or asked for again."""

from __future__ import annotations

from pathlib import Path

from genrec_eval.audit.chain.evidence import EVIDENCE_FILE, Evidence
from genrec_eval.core.errors import UsageError


def redacted_rows(directory: Path) -> int:
    """How many rows and payloads of a run were redacted; 0 for a run without evidence."""
    if not (directory / EVIDENCE_FILE).is_file():
        return 0
    try:
        return sum(len(one.rows) for one in Evidence.read(directory).redactions)
    except UsageError as error:
        raise UsageError(
            f"{error}; whether anything was redacted cannot be told: delete the file to go on"
        ) from None


def refuse_scoring(directory: Path) -> None:
    """Refuse to score what was redacted: the scores of texts that are gone stay as they were recorded."""
    if n := redacted_rows(directory):
        raise UsageError(
            f"{directory} holds {n:,} redacted row{'s' * (n != 1)}, whose texts cannot be scored again: its"
            f" scores stay as they were recorded; write its report anew with: genrec-eval report {directory}"
        )


def refuse_playing(directory: Path) -> None:
    """Refuse to play into what was redacted: the models would be asked for the same texts again."""
    if n := redacted_rows(directory):
        raise UsageError(
            f"{directory} holds {n:,} redacted row{'s' * (n != 1)}, and playing into it would ask for those"
            " texts again; choose another --out, or run with --fresh to set it aside"
        )
