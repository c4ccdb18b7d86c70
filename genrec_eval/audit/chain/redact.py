"""Redaction: the texts of some cases are taken out of a run, and the hash of the original stays in its root.

Order of work, so that a crash leaves nothing that a second attempt would not finish: tables are written
beside the old ones, then the evidence says what is redacted, then the tables take their places, then the
journal and the payloads follow. Until the end ``genrec-eval verify`` names what still holds its texts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genrec_eval.audit.chain.build import stored_leaves
from genrec_eval.audit.chain.evidence import Evidence, RedactedRow, Redaction
from genrec_eval.audit.chain.files import BLOBS, blobs
from genrec_eval.audit.chain.findings import Verification
from genrec_eval.audit.chain.forgotten import forget
from genrec_eval.audit.chain.hashes import check_files
from genrec_eval.audit.chain.leaves import leaves
from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.secrets import scrub

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.engine.rundir import RunDirectory

RECORD_TEXTS = ("text", "raw", "request", "response", "mentions")
JUDGEMENT_TEXTS = ("raw", "text", "logprobs")
_JUDGED = ("judgements.parquet", "annotations.parquet")
_NEEDLE = 24
"""Characters from which on a text that is found again elsewhere is the same text."""
_NEEDLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be redacted; None for all models or scenarios."""

    cases: tuple[str, ...]
    reason: str
    model: str | None = None
    scenario: str | None = None


@dataclass(slots=True, kw_only=True)
class Redacted:
    """What a redaction came to.

    Attributes
    ----------
    records, judgements
        Rows whose texts were taken out, annotations among the judgements.
    exchanges
        Rows of the journal that were emptied.
    payloads
        Files of ``blobs/`` that were deleted.
    shared
        Payloads that were kept: other cases have the same.
    texts
        Pieces of what was taken out, to look for what else holds them.
    """

    records: int = 0
    judgements: int = 0
    exchanges: int = 0
    payloads: int = 0
    shared: list[str] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Plan:
    """Rows to redact by file, and what goes with them."""

    rows: dict[str, np.ndarray] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    payloads: set[str] = field(default_factory=set)
    scenarios: dict[str, None] = field(default_factory=dict)


def redact(directory: RunDirectory, wanted: Wanted) -> Redacted:
    """Take the texts of the wanted records out of a run: tables, payloads and journal.

    What was asked (``cases/``) stays, since scoring needs it; scores stay as they were recorded. Pages are
    the caller's to write anew. A second call with the same cases finishes what a crash left.

    Raises
    ------
    UsageError
        When the run differs from its evidence, has no such case, model or scenario, or no reason is given.
    """
    path = directory.path
    reason = " ".join(scrub(wanted.reason).split())
    if not reason:
        raise UsageError('say why with --reason "…": it stands in the evidence in place of the texts')
    import pyarrow as pa

    from genrec_eval.engine.rundir import one_line

    evidence = Evidence.read(path)
    plan = _Plan()
    done = Redacted()
    try:
        _plan_records(directory, wanted, plan, done)
        _plan_judgements(path, wanted, plan, done)
    except (pa.ArrowException, KeyError) as error:
        raise UsageError(
            f"{path} has a table that cannot be read ({one_line(error)}), and nothing was redacted; see: "
            f"genrec-eval verify {path}"
        ) from None
    _check(path, evidence)
    _only_theirs(path, plan, done.texts)
    shared = _shared(directory, plan)
    done.shared = sorted(plan.payloads & shared)
    payloads = sorted(plan.payloads - shared)
    rows = _write_tables(directory, evidence, plan, payloads, reason, wanted)
    done.records = sum(1 for row in rows if row.file.startswith("records/"))
    done.judgements = sum(1 for row in rows if row.file in _JUDGED)
    for name in payloads:
        if (path / BLOBS / name).exists():
            (path / BLOBS / name).unlink()
            done.payloads += 1
    _spare(directory, wanted, reason, plan)
    done.exchanges = forget(path / "journal.sqlite", plan.keys, f"redacted: {reason}")
    return done


def _plan_records(directory: RunDirectory, wanted: Wanted, plan: _Plan, done: Redacted) -> None:
    import pyarrow.parquet as pq

    from genrec_eval.engine.records import parts

    played = directory.played()
    _known("model", wanted.model, [model for model, _ in played], directory.path)
    _known("scenario", wanted.scenario, [scenario for _, scenario in played], directory.path)
    missing = set(wanted.cases)
    every: dict[str, None] = {}
    for model, scenario in played:
        if wanted.model not in (None, model) or wanted.scenario not in (None, scenario):
            continue
        for path in parts(directory.records_folder, model, scenario):
            table = pq.read_table(path, columns=["case", "key", "blob", "text", "raw"])
            cases = table.column("case").to_pylist()
            rows = _in(cases, wanted.cases)
            if missing:
                missing -= set(cases)
                every.update(dict.fromkeys(cases[:1000]))
            if len(rows):
                plan.rows[f"records/{path.name}"] = rows
                plan.scenarios[scenario] = None
                picked = table.take(rows)
                plan.keys.update(_values(picked, "key"))
                plan.payloads.update(_values(picked, "blob"))
                _keep(done.texts, [*_values(picked, "text"), *_values(picked, "raw")])
    if missing:
        name = min(missing)
        where = " ".join(
            f"{word} '{value}'"
            for word, value in (("of model", wanted.model), ("in scenario", wanted.scenario))
            if value is not None
        )
        raise UsageError(
            f"{directory.path} has no record of the case '{name}'{' ' + where if where else ''}"
            f"{did_you_mean(name, list(every)[:5000])}"
        )


def _plan_judgements(path: Path, wanted: Wanted, plan: _Plan, done: Redacted) -> None:
    """Judgements of the texts, and all that were read from one completion with them."""
    import pyarrow.parquet as pq

    for name in _JUDGED:
        if not (path / name).is_file():
            continue
        table = pq.read_table(path / name)
        held = {
            column: table.column(column).to_pylist()
            for column in ("case", "scenario", "model", "other", "key")
        }
        # a judge on several texts at once may quote any of them
        several = [task in ("listwise", "pairwise") for task in table.column("task").to_pylist()]
        about = [
            case in wanted.cases
            and wanted.scenario in (None, scenario)
            and (wanted.model in (None, model, other) or many)
            for case, scenario, model, other, many in zip(
                held["case"], held["scenario"], held["model"], held["other"], several, strict=True
            )
        ]
        keys = {key for key, hit in zip(held["key"], about, strict=True) if hit and key is not None}
        rows = np.flatnonzero([hit or key in keys for key, hit in zip(held["key"], about, strict=True)])
        if len(rows):
            plan.rows[name] = rows
            plan.keys |= keys
            picked = table.take(rows)
            _keep(done.texts, [*_values(picked, "raw"), *_values(picked, "text")])


def _known(kind: str, name: str | None, known: Sequence[str], path: Path) -> None:
    if name is not None and name not in known:
        raise UsageError(f"{path} has no {kind} '{name}'{did_you_mean(name, known)}")


def _in(values: Sequence[Any], wanted: Collection[str]) -> np.ndarray:
    chosen = set(wanted)
    return np.flatnonzero([value in chosen for value in values])


def _values(table: pa.Table, name: str) -> list[Any]:
    return [value for value in table.column(name).to_pylist() if value is not None]


def _keep(texts: set[str], found: Iterable[str]) -> None:
    for text in found:
        line = _needle(text)
        if len(line) >= _NEEDLE and len(texts) < _NEEDLES:
            texts.add(line)


def _needle(text: str) -> str:
    """The longest line of a text, since a line looks the same in most files."""
    return max((one.strip() for one in text.splitlines()), key=len, default="")[:80]


def _only_theirs(path: Path, plan: _Plan, texts: set[str]) -> None:
    """Leave out what rows that stay say as well, such as a judge's answer in fixed words."""
    import pyarrow.parquet as pq

    names = [f"records/{one.name}" for one in sorted((path / "records").glob("*.parquet"))]
    for name in [*names, *(one for one in _JUDGED if (path / one).is_file())]:
        if texts:
            gone = set(plan.rows.get(name, np.zeros(0, int)).tolist())
            for column in pq.read_table(path / name, columns=["text", "raw"]).columns:
                said = (
                    one for row, one in enumerate(column.to_pylist()) if one is not None and row not in gone
                )
                texts.difference_update(map(_needle, said))


def _check(path: Path, evidence: Evidence) -> None:
    """A run that was tampered with is not redacted: that would give the change a reason."""
    done = Verification(run=evidence.run, root=evidence.root)
    check_files(path, evidence, done)
    open_ = {(row.file, row.row) for rows in evidence.redacted.values() for row in rows}
    for finding in done.findings:
        unfinished = (finding.file, finding.row) in open_ or finding.file == BLOBS
        if not (unfinished and "redacted" in finding.said):
            raise UsageError(
                f"{path} is not as its evidence says, and is not redacted before that is cleared up:"
                f" {finding}; see: genrec-eval verify {path}"
            )


def _shared(directory: RunDirectory, plan: _Plan) -> set[str]:
    """Payloads that records have which are not redacted."""
    import pyarrow.parquet as pq

    found: set[str] = set()
    if not plan.payloads:
        return found
    for path in sorted(directory.records_folder.glob("*.parquet")):
        names = pq.read_table(path, columns=["blob"]).column("blob").to_pylist()
        gone = set(plan.rows.get(f"records/{path.name}", np.zeros(0, int)).tolist())
        found |= {name for row, name in enumerate(names) if name in plan.payloads and row not in gone}
    return found


def _write_tables(
    directory: RunDirectory,
    evidence: Evidence,
    plan: _Plan,
    payloads: Sequence[str],
    reason: str,
    wanted: Wanted,
) -> list[RedactedRow]:
    """Write redacted tables and the evidence of them; returns what was not redacted before."""
    path = directory.path
    known = {(row.file, row.row): row for rows in evidence.redacted.values() for row in rows}
    originals = {one.name: (leaf, labels) for one, leaf, labels in stored_leaves(path, evidence)}
    fresh: list[RedactedRow] = []
    files = {one.name: one for one in evidence.files}
    partials: dict[str, Path] = {}
    try:
        for name, rows in plan.rows.items():
            # rows of an earlier redaction keep its reason; those that a crash left are written with it
            partial = partials[name] = path / f"{name}.partial"
            reasons = {row: _reason_of(evidence, name, row) or reason for row in rows.tolist()}
            _rewrite(path / name, partial, reasons)
            now = leaves(path, name, partial)
            for row in rows.tolist():
                if (name, row) not in known:
                    leaf = originals[name][0][row].tobytes().hex()
                    fresh.append(
                        RedactedRow(file=name, row=row, leaf=leaf, now=now.digests[row].tobytes().hex())
                    )
            files[name] = files[name].model_copy(update={"bytes": now.size, "sha256": now.sha256})
        fresh += _payload_rows(originals, payloads, known)
        if BLOBS in files:
            kept = [one for one in blobs(path) if one not in payloads]
            size = sum((path / BLOBS / one).stat().st_size for one in kept)
            files[BLOBS] = files[BLOBS].model_copy(update={"bytes": size})
        if fresh:
            made = Redaction(
                reason=reason,
                cases=sorted(wanted.cases),
                model=wanted.model,
                scenario=wanted.scenario,
                scenarios=list(plan.scenarios),
                rows=fresh,
            )
            evidence = evidence.changed(files=list(files.values()), redactions=[*evidence.redactions, made])
            evidence.write(path)
        for name, partial in partials.items():
            partial.replace(path / name)
    finally:
        for partial in partials.values():
            partial.unlink(missing_ok=True)
    return fresh


def _reason_of(evidence: Evidence, file: str, row: int) -> str | None:
    for redaction in evidence.redactions:
        if any((one.file, one.row) == (file, row) for one in redaction.rows):
            return redaction.reason
    return None


def _payload_rows(
    originals: Mapping[str, Any], payloads: Sequence[str], known: Mapping[tuple[str, int], RedactedRow]
) -> list[RedactedRow]:
    if BLOBS not in originals:
        return []
    digests, labels = originals[BLOBS]
    return [
        RedactedRow(file=BLOBS, row=row, name=name, leaf=digests[row].tobytes().hex(), now=None)
        for row, name in enumerate(labels)
        if name in payloads and (BLOBS, row) not in known
    ]


def _rewrite(path: Path, target: Path, reasons: Mapping[int, str]) -> None:
    """Write a table again without the texts of some rows; row groups and notes stay as they are."""
    import pyarrow.parquet as pq

    from genrec_eval.engine.rundir import disk_faults

    start = 0
    with (
        disk_faults(target),
        pq.ParquetFile(path) as file,
        pq.ParquetWriter(target, file.schema_arrow, compression="zstd") as writer,
    ):
        for group in range(file.metadata.num_row_groups):
            table = file.read_row_group(group)
            n = len(table)
            here = {row - start: reasons[row] for row in reasons if start <= row < start + n}
            writer.write_table(_without_texts(table, here) if here else table, row_group_size=max(1, n))
            start += n


def _without_texts(table: pa.Table, reasons: Mapping[int, str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    mask = np.zeros(len(table), bool)
    mask[list(reasons)] = True
    gone = pa.array(mask)
    names = table.column_names
    judged = "judge" in names

    def put(name: str, value: Callable[[pa.Field], Any], where: pa.Array = gone) -> None:
        nonlocal table
        at = names.index(name)
        kind = table.schema.field(at)
        column = pc.if_else(where, value(kind), table.column(at)).cast(kind.type)
        table = table.set_column(at, kind, column)

    for name in JUDGEMENT_TEXTS if judged else RECORD_TEXTS:
        put(name, lambda kind: pa.scalar(None, kind.type))
    if judged:
        # what a parser could not read may be quoted; why nobody was asked is said by genrec-eval, and counts
        asked = pc.not_equal(table.column("status").cast(pa.string()), "not-asked")
        put("reason", lambda kind: pa.scalar(None, kind.type), pc.and_(gone, asked.combine_chunks()))
    else:
        said = pa.array(
            [f"redacted: {reasons[i]}" if i in reasons else None for i in range(len(table))], pa.string()
        )
        put("error", lambda kind: said)
    return table


def _spare(directory: RunDirectory, wanted: Wanted, reason: str, plan: _Plan) -> None:
    """Records that an earlier play has left aside: no number is of them, and they hold the same texts."""
    import pyarrow.parquet as pq

    for path in sorted((directory.path / "spare").glob("*.parquet")):
        scenario, _, rest = path.name.partition("@")
        if wanted.scenario not in (None, scenario) or wanted.model not in (None, rest.rsplit(".", 2)[0]):
            continue
        table = pq.read_table(path, columns=["case", "key"])
        rows = _in(table.column("case").to_pylist(), wanted.cases)
        if len(rows):
            plan.keys.update(_values(table.take(rows), "key"))
            partial = path.with_name(f"{path.name}.partial")
            _rewrite(path, partial, dict.fromkeys(rows.tolist(), reason))
            partial.replace(path)
