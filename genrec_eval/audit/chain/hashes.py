"""The files of a run against its evidence: hashed again, row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from genrec_eval.audit.chain.build import stored_leaves
from genrec_eval.audit.chain.evidence import CHAIN_FILE, EVIDENCE_FILE, Evidence, HashedFile, RedactedRow
from genrec_eval.audit.chain.files import BLOBS, hashed_files, order_of, pages
from genrec_eval.audit.chain.findings import Finding, Verification
from genrec_eval.audit.chain.leaves import Leaves, Unreadable, file_root, leaves
from genrec_eval.audit.chain.located import Change, changes
from genrec_eval.core.fingerprint import digest_file
from genrec_eval.protocol.row_digests import UInt8

MOST = 50
"""Differences that are named in a file; beyond, they are counted."""

_NAMED = ("model", "scenario", "metric", "judge", "case", "unit", "item")
_ANNOTATED = ("annotations.parquet", "annotations/KEY.json")
_AGAIN = "; where people's answers came in since, score the run again"


def check_files(directory: Path, evidence: Evidence, done: Verification) -> None:
    """Hash every file of a run again and note what differs from the evidence.

    Raises
    ------
    UsageError
        When the chain cannot be read, or a file of the run is a link.
    """
    if not evidence.sealed:
        said = "was edited: its seal does not fit what it says"
        done.findings.append(Finding(file=EVIDENCE_FILE, said=said))
    there = hashed_files(directory)
    stated = {one.name: one for one in evidence.files}
    redacted = evidence.redacted
    found: dict[str, list[Finding]] = {}
    rows = 0
    for one, stored, labels in stored_leaves(directory, evidence):
        if file_root(one.name, one.rows, one.per_leaf, one.metadata, stored) != one.root:
            said = f"its leaves of {one.name} do not give the root that {EVIDENCE_FILE} states"
            done.findings.append(Finding(file=CHAIN_FILE, said=said))
        if one.name in there:
            found[one.name] = _file(directory, one, stored, labels, redacted.get(one.name, []), done)
            rows += one.rows
        elif one.name != BLOBS or len(redacted.get(BLOBS, ())) < one.rows:
            found[one.name] = [Finding(file=one.name, said="is missing")]
    for name in there:
        if name not in stated:
            said = "was added after the run was scored" + (_AGAIN if name in _ANNOTATED else "")
            found[name] = [Finding(file=name, said=said)]
    for name in sorted(found, key=order_of):
        done.findings += found[name]
    if not done.findings:
        gone = sum(len(one) for one in redacted.values())
        done.checked.append(
            f"{len(stated)} files with {rows:,} rows, hashed again: as they were when the run was scored"
            + (f", but for {gone:,} redacted ones, of which the original's hash is kept" if gone else "")
        )


def check_pages(directory: Path, evidence: Evidence, done: Verification) -> None:
    """Hold the report and other pages against their seals."""
    there = pages(directory)
    fits = []
    for page in evidence.pages:
        if page.name not in there:
            done.findings.append(Finding(file=page.name, said="is missing"))
        elif digest_file(directory / page.name) != page.sha256:
            said = "is not as it was written; write it anew with genrec-eval report"
            done.findings.append(Finding(file=page.name, said=said))
        else:
            fits.append(page.name)
    if fits:
        done.checked.append(f"{', '.join(fits)}: as written")
    sealed = {page.name for page in evidence.pages}
    done.unchecked += [
        f"{name}: it was written after the run was sealed" for name in there if name not in sealed
    ]


def _file(
    directory: Path,
    one: HashedFile,
    stored: UInt8,
    labels: Sequence[str | None],
    redacted: Sequence[RedactedRow],
    done: Verification,
) -> list[Finding]:
    try:
        now = leaves(directory, one.name)
    except Unreadable as error:
        said = str(error).removeprefix(f"{directory / one.name} ")
        return [Finding(file=one.name, said=f"{said}; it is not the file that was hashed")]
    digests, names, findings = _restored(one, now, stored, redacted)
    if now.per_leaf != one.per_leaf:
        said = f"{EVIDENCE_FILE} states {one.per_leaf} rows a leaf, and the recipe is {now.per_leaf}"
        return [Finding(file=one.name, said=said)]
    if np.array_equal(digests, stored) and (len(digests) if one.name == BLOBS else now.rows) == one.rows:
        if now.metadata != one.metadata:
            said = "what the table notes beside its rows was changed, or how its rows are grouped"
            findings.append(Finding(file=one.name, said=said))
        elif now.sha256 != one.sha256 and not findings:
            done.notes.append(f"{one.name} was written anew since: other bytes, the same values in every row")
        return findings
    found = changes(stored, digests)
    name_of = _namer(directory, one, labels, names)
    findings += _findings(one, now, found, name_of)
    return findings


def _restored(
    one: HashedFile, now: Leaves, stored: UInt8, redacted: Sequence[RedactedRow]
) -> tuple[UInt8, list[str], list[Finding]]:
    """Leaves and names as before redaction, where what is left of redacted rows is as it should be."""
    digests, names, findings = now.digests, list(now.labels or ()), []
    back: dict[bytes, list[bytes]] = {}
    for row in redacted:
        if row.row >= len(stored) or stored[row.row].tobytes().hex() != row.leaf:
            said = f"says that row {row.row} of {one.name} was redacted, with another hash than the chain's"
            findings.append(Finding(file=EVIDENCE_FILE, said=said))
        elif row.now is not None:
            back.setdefault(bytes.fromhex(row.now), []).append(bytes.fromhex(row.leaf))
        elif row.name in names:
            findings.append(_still(one.name, row, names.index(row.name)))
    if one.name == BLOBS:
        lost = {row.name: row.leaf for row in redacted if row.name is not None and row.name not in names}
        held = {name: leaf.tobytes() for name, leaf in zip(names, digests, strict=True)}
        held |= {name: bytes.fromhex(leaf) for name, leaf in lost.items()}
        names = sorted(held)
        digests = np.frombuffer(b"".join(held[name] for name in names), np.uint8).reshape(-1, 32)
    elif back:
        digests = digests.copy()
        there = np.isin(digests.view("S32").ravel(), np.array(list(back), "S32"))
        for at in np.flatnonzero(there).tolist():
            originals = back.get(digests[at].tobytes())
            if originals:
                digests[at] = np.frombuffer(originals.pop(0), np.uint8)
        whole = {row.leaf: row for row in redacted if row.now is not None}
        left = {leaf.hex() for originals in back.values() for leaf in originals}
        if left:
            for at, leaf in enumerate(digests):
                if (hexed := leaf.tobytes().hex()) in left:
                    findings.append(_still(one.name, whole[hexed], at))
    return digests, names, findings


def _still(file: str, row: RedactedRow, at: int) -> Finding:
    said = "is listed as redacted and still holds its texts; run the same genrec-eval redact again"
    return Finding(file=file, row=at, name=row.name, said=said)


_SAID = {
    "edited": "was edited",
    "deleted": "was deleted",
    "inserted": "was inserted",
}


def _findings(
    one: HashedFile, now: Leaves, found: Sequence[Change], name_of: Callable[[Change], str | None]
) -> list[Finding]:
    findings: list[Finding] = []
    if one.per_leaf > 1:
        for change in found[:MOST]:
            first = change.row * one.per_leaf
            last = min(first + one.per_leaf, max(one.rows, now.rows)) - 1
            findings.append(
                Finding(file=one.name, said=f"rows {first} to {last} are not as they were hashed")
            )
    else:
        moved = [change for change in found if change.what == "moved"]
        for change in [change for change in found if change.what != "moved"][:MOST]:
            said = _SAID[change.what]
            if change.what == "deleted" and now.labels is None:
                said += f" (there are {now.rows:,} rows now, and were {one.rows:,})"
            row = None if one.name.endswith(".json") else change.row  # its entries have names, no numbers
            findings.append(Finding(file=one.name, row=row, name=name_of(change), said=said))
        if moved:
            findings.append(_moved(one, moved, name_of))
    if len(found) > MOST:
        findings.append(Finding(file=one.name, said=f"{len(found) - MOST:,} more places differ"))
    return findings


def _moved(one: HashedFile, moved: Sequence[Change], name_of: Callable[[Change], str | None]) -> Finding:
    first, last = moved[0].row, moved[-1].row
    what = f"and row {last} changed places" if len(moved) == 2 else f"to {last} stand in another order"
    return Finding(file=one.name, row=first, name=name_of(moved[0]), said=what)


def _namer(
    directory: Path, one: HashedFile, labels: Sequence[str | None], names: Sequence[str]
) -> Callable[[Change], str | None]:
    def name_of(change: Change) -> str | None:
        if labels and change.what != "inserted":
            return labels[change.row]
        if names and change.at is not None:
            return names[change.at]
        if labels or names or change.at is None:
            return None
        return row_name(directory / one.name, change.at)

    return name_of


def row_name(path: Path, row: int) -> str | None:
    """What a row of a table is about, from its columns."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        columns = [name for name in _NAMED if name in file.schema_arrow.names]
        for group in range(file.metadata.num_row_groups):
            n = file.metadata.row_group(group).num_rows
            if row < n:
                values: dict[str, Any] = (
                    file.read_row_group(group, columns=columns).slice(row, 1).to_pylist()[0]
                )
                return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)
            row -= n
    return None
