"""The numbers of a run against its records: scored and estimated again, in a place of its own."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from genrec_eval.audit.chain.evidence import Evidence
from genrec_eval.audit.chain.findings import Finding
from genrec_eval.audit.chain.leaves import read_json
from genrec_eval.audit.results import ESTIMATES_FILE
from genrec_eval.audit.score import SCORES_FILE, StoredScores, score_run
from genrec_eval.core.errors import UsageError
from genrec_eval.core.registry import relative_to
from genrec_eval.engine.environment import versions
from genrec_eval.engine.keys import differences
from genrec_eval.engine.rundir import RunDirectory

ROUNDING = 1e-9
"""Relative difference up to which two numbers may be one, computed by different versions."""

SAID = frozenset({"reason", "remark", "needed", "where"})
"""Fields of a row that say something about its numbers, as a version of genrec-eval words it."""


@dataclass(slots=True)
class Recomputed:
    """What recomputing came to.

    Attributes
    ----------
    findings
        Differences; those of scores first.
    scores, figures
        How many numbers were compared.
    kept
        (model, scenario) → scores that could not be made again, since texts they depend on were redacted.
    rounded
        Numbers that differ in their last digits alone, and by how much at most.
    worded
        Reasons, definitions and other words about the numbers that another version of genrec-eval chose.
    versions
        Package → its version then and now, where they differ.
    """

    findings: list[Finding] = field(default_factory=list)
    scores: int = 0
    figures: int = 0
    kept: Counter[tuple[str, str]] = field(default_factory=Counter)
    rounded: int = 0
    worded: int = 0
    most: float = 0.0
    versions: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)

    def same(self, old: Any, new: Any) -> bool:
        """Whether two numbers differ in a way that other versions explain; counts those that do."""
        if not self.versions or not all(isinstance(one, int | float) for one in (old, new)):
            return False
        off = abs(old - new) / max(abs(old), abs(new), 1e-300)
        if not math.isfinite(off) or off > ROUNDING:
            return False
        self.rounded, self.most = self.rounded + 1, max(self.most, off)
        return True


def recompute(directory: RunDirectory, evidence: Evidence) -> Recomputed:
    """Score and estimate a run again, writing nothing into it, and compare every number with the stored one.

    Numbers are compared exactly. Where packages have other versions than when the run was scored, numbers
    that differ by at most :data:`ROUNDING` are counted and not found.

    Raises
    ------
    Exception
        Whatever scoring raises: the tables may be no longer what it can read.
    """
    from genrec_eval.audit.audit import results_of
    from genrec_eval.audit.results import write_estimates

    done = Recomputed(versions=_versions(evidence))
    redacted = {name for redaction in evidence.redactions for name in redaction.scenarios}
    with TemporaryDirectory(prefix="genrec-eval-verify-") as folder, _folder_of(directory):
        scores = Path(folder) / SCORES_FILE
        remarks = score_run(directory, scores)
        recorded = directory.path / SCORES_FILE
        done.findings += _scores(recorded, scores, redacted, done)
        # estimates of scores that cannot be made again are still made from those that were recorded
        results = results_of(directory, remarks, recorded if redacted else scores)
        write_estimates(Path(folder) / ESTIMATES_FILE, results)
        old, new = (read_json(place / ESTIMATES_FILE) for place in (directory.path, Path(folder)))
    done.figures = sum(len(new[part]) for part in ("estimates", "verdicts"))
    for path, left, right in differences(old, new):
        entry, field_, scenario = _entry(old, path)
        if field_ == "remark" and scenario in redacted:
            continue
        if "genrec-eval" in done.versions and _words(entry, field_):
            done.worded += 1
            continue
        if not done.same(left, right):
            done.findings.append(
                Finding(
                    file=ESTIMATES_FILE,
                    name=entry,
                    column=field_,
                    said="is not what the records give",
                    recorded=left,
                    found=right,
                    values=True,
                )
            )
    return done


def _words(entry: str, field_: str | None) -> bool:
    """Whether a difference is in what is said about a number, not in the number or what was ruled."""
    part = entry.partition("[")[0].partition(".")[0]
    head = (field_ or "").partition(".")[0].partition("[")[0]
    return part == "definitions" or (part in ("estimates", "verdicts", "coverage") and head in SAID)


def _folder_of(directory: RunDirectory) -> Any:
    return relative_to(Path(str(directory.run.get("folder", "."))))


def _versions(evidence: Evidence) -> dict[str, tuple[str | None, str | None]]:
    then, now = evidence.versions, versions()
    return {
        name: (then.get(name), now.get(name))
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    }


def _entry(document: Any, path: str) -> tuple[str, str | None, str | None]:
    """Entry, field and scenario of a path into estimates.json: ``estimates[12].value``."""
    entry, _, field_ = path.partition(".")
    part, _, place = entry.partition("[")
    rows = document.get(part) if isinstance(document, dict) else None
    number = place.rstrip("]")
    if not isinstance(rows, list) or not number.isdigit() or int(number) >= len(rows):
        return path, None, None
    row = rows[int(number)]
    if not isinstance(row, dict):
        return entry, field_ or None, None
    about = [row.get(key) for key in ("claim", "metric", "model", "baseline", "scenario", "slice")]
    told = ", ".join(str(one) for one in about if one not in (None, "all"))
    return f"{entry} ({told})", field_ or None, row.get("scenario")


def _scores(recorded: Path, made: Path, redacted: Collection[str], done: Recomputed) -> Iterator[Finding]:
    with StoredScores(made) as new:
        second = new.groups
    rows = 0
    seen = set()
    with pq.ParquetFile(made) as after:
        place = {group: i for i, group in enumerate(second)}
        for group, table in _recorded(recorded):
            seen.add(group)
            if group not in place:
                model, scenario, metric = group
                yield _whole(f"{metric} of {model} in {scenario} has scores that the records do not give")
            else:
                yield from _group(group, table, after.read_row_group(place[group]), rows, redacted, done)
            rows += len(table)
    for model, scenario, metric in second:
        if (model, scenario, metric) not in seen:
            yield _whole(f"{metric} of {model} in {scenario} has no scores, and the records give some")
    done.scores = rows


def _recorded(path: Path) -> Iterator[tuple[tuple[str, str, str], pa.Table]]:
    """Tables of scores by model, scenario and metric, also where another program wrote the file anew."""
    try:
        with StoredScores(path) as stored:
            groups = stored.groups
    except UsageError:
        groups = []
    with pq.ParquetFile(path) as file:
        if groups and file.metadata.num_row_groups == len(groups):
            for number, group in enumerate(groups):
                yield group, file.read_row_group(number)
            return
        table = file.read()
    names = [_plain(table.column(name)) for name in ("model", "scenario", "metric")]
    codes = np.stack([pc.dictionary_encode(one).indices.to_numpy(zero_copy_only=False) for one in names])
    ends = [*(np.flatnonzero((np.diff(codes) != 0).any(axis=0)) + 1).tolist(), len(table)]
    start = 0
    for end in ends:
        if end > start:
            model, scenario, metric = (str(one[start].as_py()) for one in names)
            yield (model, scenario, metric), table.slice(start, end - start)
        start = end


def _whole(said: str) -> Finding:
    return Finding(file=SCORES_FILE, said=said)


def _group(
    group: tuple[str, str, str],
    old: pa.Table,
    new: pa.Table,
    start: int,
    redacted: Collection[str],
    done: Recomputed,
) -> Iterator[Finding]:
    model, scenario, metric = group
    about = f"{metric} of {model} in {scenario}"
    units = _units(old)
    if units != _units(new):
        yield from _other_units(about, units, _units(new), start)
        return
    kept: set[int] = set()
    for name in (name for name in new.column_names if name in old.column_names):
        left, right = _plain(old.column(name)), _plain(new.column(name))
        if left.equals(right):
            continue
        for row in _differing(left, right).tolist():
            was, is_ = left[row].as_py(), right[row].as_py()
            if done.same(was, is_) or _same_lists(was, is_, done):
                continue
            if scenario in redacted:
                kept.add(row)
                continue
            yield Finding(
                file=SCORES_FILE,
                row=start + row,
                name=f"{about}, unit {units[row]}",
                column=name,
                said="is not what the records give",
                recorded=was,
                found=is_,
                values=True,
            )
    done.kept[model, scenario] += len(kept)


def _units(table: pa.Table) -> list[str | None]:
    units: list[str | None] = table.column("unit").to_pylist()
    return units


def _other_units(
    about: str, old: Sequence[str | None], new: Sequence[str | None], start: int
) -> Iterator[Finding]:
    """Rows deleted, inserted or in another order."""
    left, made = Counter(new), Counter(old)
    for row, unit in enumerate(old):
        left[unit] -= 1
        if left[unit] < 0:
            named = f"{about}, unit {unit}"
            yield Finding(file=SCORES_FILE, row=start + row, name=named, said="the records give no such row")
    for unit, n in (Counter(new) - made).items():
        yield _whole(
            f"{about} has no row of unit {unit}, {'which' if n == 1 else f'{n} of which'} the records give"
        )
    if Counter(new) == made:
        row = next(i for i, pair in enumerate(zip(old, new, strict=True)) if pair[0] != pair[1])
        named = f"{about}, unit {old[row]}"
        yield Finding(
            file=SCORES_FILE,
            row=start + row,
            name=named,
            said=f"the records give the row of unit {new[row]} here",
        )


def _plain(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    whole = whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole


def _differing(left: pa.Array, right: pa.Array) -> np.ndarray:
    if left.type != right.type or pa.types.is_nested(left.type):
        pairs = zip(left.to_pylist(), right.to_pylist(), strict=True)
        return np.flatnonzero([a != b for a, b in pairs])
    nulls = pc.not_equal(left.is_null(), right.is_null())
    differs = pc.fill_null(pc.not_equal(left, right), False)
    return np.flatnonzero(pc.or_(nulls, differs).to_numpy(zero_copy_only=False))


def _same_lists(old: Any, new: Any, done: Recomputed) -> bool:
    if not isinstance(old, list) or not isinstance(new, list) or len(old) != len(new):
        return False
    return all(a == b or done.same(a, b) for a, b in zip(old, new, strict=True))
