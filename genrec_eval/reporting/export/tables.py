"""Every table of a run, as batches: what csv, parquet and data frames are made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.engine.rundir import JUDGEMENTS_FILE, RunDirectory
from genrec_eval.protocol.results import Coverage, Estimate, Verdict
from genrec_eval.reporting.results import Results

if TYPE_CHECKING:
    import pyarrow as pa

_FILES = {"judgements": JUDGEMENTS_FILE, "annotations": "annotations.parquet", "scores": "scores.parquet"}


@dataclass(frozen=True, slots=True)
class Exported:
    """One table: its schema and its rows, batch by batch."""

    name: str
    schema: pa.Schema
    batches: Iterable[pa.RecordBatch]


def table_names(directory: RunDirectory) -> list[str]:
    """Names of the tables that a run has, in the order of the flow."""
    scenarios = list(dict.fromkeys(scenario for _, scenario in directory.played()))
    files = sorted(path.stem for path in (directory.path / "cases").glob("*.parquet"))
    cases = [f"cases.{stem}" for name in scenarios for stem in files if stem.partition("@")[0] == name]
    stored = [name for name, file in _FILES.items() if (directory.path / file).is_file()]
    return [*cases, "records", *stored, "estimates", "verdicts", "coverage", "definitions"]


def exported(directory: RunDirectory, names: Sequence[str] = ()) -> Iterator[Exported]:
    """The tables of a scored run.

    Parameters
    ----------
    names
        Which ones; all of them by default.

    Raises
    ------
    UsageError
        When a name is unknown, the run is not scored, or a file cannot be read.
    """
    known = table_names(directory)
    for name in names:
        if name not in known:
            near = did_you_mean(name, known)
            raise UsageError(f"{directory.path} has no table '{name}'{near} (it has: {', '.join(known)})")
    results = Results.load(directory.path)
    directory.check_whole()
    for name in known:
        if not names or name in names:
            yield _table(directory, results, name)


def _table(directory: RunDirectory, results: Results, name: str) -> Exported:
    import pyarrow as pa

    if name == "records":
        from genrec_eval.protocol.tables import RECORDS

        return Exported(name, RECORDS, _records(directory))
    if name.startswith("cases."):
        return _file(name, directory.path / "cases" / f"{name.removeprefix('cases.')}.parquet")
    if name in _FILES:
        return _file(name, directory.path / _FILES[name])
    if name == "definitions":
        rows = [{"metric": metric, **about} for metric, about in results.definitions.items()]
        columns = list(dict.fromkeys(["metric", *(key for row in rows for key in row)]))
        schema = pa.schema([(column, pa.string()) for column in columns])
        table = pa.Table.from_pylist([{key: _text(row.get(key)) for key in columns} for row in rows], schema)
    else:
        kind: Any = {"estimates": Estimate, "verdicts": Verdict, "coverage": Coverage}[name]
        schema = _schema(kind)
        told = [row.to_json() for row in getattr(results, name)]
        flat = [{key: _flat(value) for key, value in row.items()} for row in told]
        table = pa.Table.from_pylist(flat, schema)
    return Exported(name, table.schema, table.to_batches())


def _records(directory: RunDirectory) -> Iterator[pa.RecordBatch]:
    for model, scenario in directory.played():
        yield from directory.records(model, scenario)


def _file(name: str, path: Path) -> Exported:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f"{path} cannot be read ({error}); run the suite again to rebuild it") from None
    return Exported(name, file.schema_arrow.remove_metadata(), _batches(file, path))


def _batches(file: Any, path: Path) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    try:
        with file:
            yield from file.iter_batches(1 << 14)
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f"{path} cannot be read ({error}); run the suite again to rebuild it") from None


def _schema(kind: type) -> pa.Schema:
    """Columns of a row of ``estimates.json``; what is neither number nor truth value is text."""
    import pyarrow as pa

    hints = get_type_hints(kind)

    def column(hint: Any) -> pa.DataType:
        said = str(hint)
        if hint is bool:
            return pa.bool_()
        if hint is float or "float" in said:
            return pa.float64()
        if hint is int or said.startswith("int"):
            return pa.int64()
        return pa.string()

    return pa.schema([(one.name, column(hints[one.name])) for one in fields(kind)])


def _flat(value: Any) -> Any:
    return _text(value) if isinstance(value, Mapping | list | tuple) else value


def _text(value: Any) -> str | None:
    import orjson

    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
