"""The run directory: the on-disk contract between play, score and report."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from genrec_eval.core.errors import IncompleteError, UsageError
from genrec_eval.core.secrets import scrub
from genrec_eval.protocol.results import Coverage
from genrec_eval.protocol.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

FORMAT = 1
"""Version of the run directory that this version writes; it reads every version up to it."""

REPORT_FILES = ("report.html", "report.instances.jsonl.gz")
"""The page, and the instances that lie beside it."""
RESULTS = (
    "estimates.json",
    "scores.parquet",
    *REPORT_FILES,
    "gate.json",
    "chain.parquet",
    "evidence.json",
    "evidence.json.sig",
)
"""What is made from the stored tables and can be made again."""

JUDGEMENTS_FILE = "judgements.parquet"

_FIRST = frozenset({"lock", "run.json.partial"})
"""What a process that was killed at its very start leaves behind."""


class RunDirectory:
    """Files of one run.

    Parameters
    ----------
    path
        The directory; see :meth:`open` and :meth:`create`.
    run
        Content of ``run.json``.
    """

    def __init__(self, path: Path, run: dict[str, Any]) -> None:
        self.path = path
        self.run = run

    @classmethod
    def open(cls, path: Path) -> RunDirectory:
        """Open a directory for reading.

        Raises
        ------
        UsageError
            When it is not a run directory, or one of a version that cannot be read.
        """
        file = path / "run.json"
        if not file.is_file():
            hint = "no such directory" if not path.exists() else "it holds no run.json"
            raise UsageError(f"{path} is not a run directory: {hint}")
        try:
            run = orjson.loads(file.read_bytes())
        except orjson.JSONDecodeError as error:
            raise UsageError(
                f"{file} is not valid JSON ({error});"
                " choose another --out, or run with --fresh to set it aside"
            ) from None
        version = run.get("format") if isinstance(run, dict) else None
        if not isinstance(version, int) or version < 1:
            raise UsageError(
                f"{path} was written by an older, unreleased version of genrec-eval (it names no format);"
                " choose another --out, or run with --fresh to set it aside"
            )
        if version > FORMAT:
            raise UsageError(
                f"{path} was written by a newer version of genrec-eval (format {version}, this one reads"
                f" up to {FORMAT}); upgrade with: pip install -U genrec-eval"
            )
        return cls(path, run)

    @classmethod
    def create(cls, path: Path, fresh: bool = False) -> RunDirectory:
        """Open a directory for writing; made when missing, resumed when it is a run of ours.

        With ``fresh`` the run that it holds may be of any version; :meth:`renew` sets it aside.
        """
        if path.exists() and not path.is_dir():
            raise UsageError(f"{path} is a file; --out names a directory")
        ours = (path / "run.json").exists()
        if ours and not fresh:
            return cls.open(path)
        if not ours and path.exists() and any(p.name not in _FIRST for p in path.iterdir()):
            raise UsageError(f"{path} holds other files and is not a run directory; choose another --out")
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot make the run directory {path}: {error.strerror}") from error
        return cls(path, {"format": FORMAT})

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for writing; released by the system when the process dies."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.path / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise UsageError(
                f"another genrec-eval is writing to {self.path}; wait for it to end, or choose another --out"
            ) from None
        except OSError as error:
            raise UsageError(
                f"cannot write to {self.path} ({error.strerror}); make it a folder that can be written to, or"
                " work on a copy of it"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def renew(self) -> Path | None:
        """Move what the directory holds to a place beside it, for ``--fresh``; nothing is deleted.

        Returns the place, or None when there was nothing to move.
        """
        held = [path for path in self.path.iterdir() if path.name != "lock"]
        if not held:
            return None
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}~{number}")).exists():
            number += 1
        with disk_faults(self.path):
            aside.mkdir()
            for path in held:
                path.rename(aside / path.name)
        self.run.clear()
        return aside

    def save(self) -> None:
        """Write ``run.json``, without secrets."""
        write_json(self.path / "run.json", self.run)

    def begin(self, pairings: Collection[tuple[str, str]]) -> None:
        """Make room for a play: what it will not make lies no longer where it would be read.

        An interrupted play must not stand beside the results of another one. Records of models and
        scenarios that are not played now are kept in ``spare``, from where a later play takes them
        back: columnar ones are their own cache.

        Parameters
        ----------
        pairings
            (model, scenario) of what is going to be played.
        """
        from genrec_eval.engine.records import parts

        spare = self.path / "spare"
        with disk_faults(self.path):
            for name in (*RESULTS, JUDGEMENTS_FILE):  # the journal holds what judges have said
                (self.path / name).unlink(missing_ok=True)
            self.records_folder.mkdir(exist_ok=True)
            spare.mkdir(exist_ok=True)
            wanted = {path.name for m, s in pairings for path in parts(self.records_folder, m, s)}
            for path in sorted(self.records_folder.iterdir()):
                if path.suffix == ".partial":
                    path.unlink()
                elif path.is_file() and path.name not in wanted:
                    path.replace(spare / path.name)
            for model, scenario in pairings:
                if not parts(self.records_folder, model, scenario):
                    for path in parts(spare, model, scenario):
                        path.replace(self.records_folder / path.name)
            if not any(spare.iterdir()):
                spare.rmdir()

    @property
    def records_folder(self) -> Path:
        """Folder of the record parts."""
        return self.path / "records"

    def played(self) -> list[tuple[str, str]]:
        """(model, scenario) of everything that has records, in the order of the suite."""
        return [(entry["model"], entry["scenario"]) for entry in self.run.get("play", [])]

    @property
    def coverage(self) -> list[Coverage]:
        """What was played, and what was not and why."""
        return [Coverage(**entry) for entry in self.run.get("coverage", [])]

    def store_cases(self, scenario: str, cases: pa.Table, context: Mapping[str, pa.Table]) -> None:
        """Keep what scoring needs, so that it never goes back to the data set."""
        import pyarrow.parquet as pq

        folder = self.path / "cases"
        tables = {scenario: cases, **{f"{scenario}@{name}": table for name, table in context.items()}}
        with disk_faults(folder):
            folder.mkdir(exist_ok=True)
            for path in folder.glob(f"{scenario}@*.parquet"):
                if path.stem not in tables:  # of an earlier version of the scenario
                    path.unlink()
            for name, table in tables.items():
                with whole_file(folder / f"{name}.parquet") as partial:
                    pq.write_table(table, partial, compression="zstd")

    def cases(self, scenario: str) -> pa.Table:
        """The cases of a scenario."""
        return self._table(f"{scenario}.parquet")

    def context(self, scenario: str) -> dict[str, pa.Table]:
        """Tables that scoring needs beside the cases."""
        found = sorted((self.path / "cases").glob(f"{scenario}@*.parquet"))
        tables = {path.stem.partition("@")[2]: self._table(path.name) for path in found}
        return _Context(tables, lambda name: self._table(f"{scenario}@{name}.parquet"))

    def _table(self, name: str) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.path / "cases" / name
        if not path.is_file():
            raise UsageError(f"{self.path} is incomplete: cases/{name} is missing; run the suite again")
        try:
            return pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise UsageError(
                f"{path} cannot be read ({one_line(error)}); run the suite again to rebuild it"
            ) from None

    def judgements(self, scenario: str, columns: Sequence[str]) -> pa.Table:
        """Verdicts of all judges on the answers of a scenario, in the order in which they were planned."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        path = self.path / JUDGEMENTS_FILE
        if not path.is_file():
            raise UsageError(f"{self.path} is incomplete: {JUDGEMENTS_FILE} is missing; run the suite again")
        try:
            table = pq.read_table(path, columns=[*dict.fromkeys([*columns, "scenario"])])
        except (OSError, pa.ArrowException) as error:
            raise UsageError(
                f"{path} cannot be read ({one_line(error)}); run the suite again to rebuild it"
            ) from None
        return table.filter(pc.equal(table.column("scenario").cast(pa.string()), scenario))

    def records(
        self, model: str, scenario: str, columns: Sequence[str] | None = None
    ) -> Iterable[pa.RecordBatch]:
        """Records of one model in one scenario, part by part.

        Where ``columns`` are named, ``items`` come as list<dictionary<string>>: scoring a million
        lists is more than twice as fast on codes. All columns together are typed as RECORDS says.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        from genrec_eval.engine.records import parts

        coded = ["items.list.element"] if columns is not None else None
        rows = 0
        for path in parts(self.records_folder, model, scenario):
            try:
                with pq.ParquetFile(path, read_dictionary=coded) as file:
                    for batch in file.iter_batches(batch_size=1 << 14, columns=columns):
                        rows += len(batch)
                        yield batch
            except (OSError, pa.ArrowException) as error:
                raise UsageError(
                    f"{path} cannot be read ({one_line(error)}); delete it and run the suite again to rebuild"
                    " it"
                ) from None
        if rows < (due := self._recorded(model, scenario)):
            found = f"{rows:,} of {due:,} records" if rows else "the records"
            raise UsageError(
                f"{self.path} is incomplete: {found} of '{model}' in '{scenario}' are"
                f" {'all there is' if rows else 'missing'}; run the suite again"
            )

    def check_whole(self) -> None:
        """Refuse a scored run that has lost a table: what is left would look like everything.

        Raises
        ------
        UsageError
            With the first file that is missing.
        """
        from genrec_eval.engine.records import parts

        scenarios = list(dict.fromkeys(scenario for _, scenario in self.played()))
        asked = (self.run.get("suite") or {}).get("scenarios") or {}
        needed = [*(f"cases/{name}.parquet" for name in scenarios), "scores.parquet"]
        if any((asked.get(name) or {}).get("judging") for name in scenarios):
            needed.append(JUDGEMENTS_FILE)
        for name in needed:
            if not (self.path / name).is_file():
                raise UsageError(f"{self.path} is incomplete: {name} is missing; run the suite again")
        for model, scenario in self.played():
            if self._recorded(model, scenario) and not parts(self.records_folder, model, scenario):
                raise UsageError(
                    f"{self.path} is incomplete: the records of '{model}' in '{scenario}' are missing; run"
                    " the suite again"
                )

    def _recorded(self, model: str, scenario: str) -> int:
        """Records that a play has left, as far as it is over and has said so."""
        if self.run.get("state") != "played":
            return 0
        return sum(
            n
            for row in self.coverage
            if (row.model, row.scenario) == (model, scenario)
            for status, n in row.statuses.items()
            if status != Status.NOT_ATTEMPTED
        )


class _Context(dict[str, "pa.Table"]):
    """Tables by name; one that is asked for and is not there is a sentence."""

    def __init__(self, tables: Mapping[str, pa.Table], missing: Callable[[str], pa.Table]) -> None:
        super().__init__(tables)
        self._missing = missing

    def __missing__(self, name: str) -> pa.Table:
        return self._missing(name)


def one_line(error: Exception) -> str:
    """What an error of another library says, fit to stand inside a sentence."""
    return " ".join(str(error).split()).rstrip(". ") or type(error).__name__


_NO_PLACE = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG}
)


@contextmanager
def disk_faults(place: Path) -> Iterator[None]:
    """Turn a full or failing disk, or a place where nothing can be written, into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_PLACE:  # no room would help
            raise UsageError(
                f"cannot write to {place} ({error.strerror}); name another place, or make it one that can be"
                " written to"
            ) from error
        raise IncompleteError(
            f"cannot write to {place} ({error.strerror or error}); everything answered before is kept: "
            "make room and run the same command again to resume"
        ) from error


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a file to write beside ``path`` and put it in place at the end: all of it or nothing."""
    partial = path.with_name(path.name + ".partial")
    try:
        with disk_faults(path):
            yield partial
            partial.replace(path)
    finally:
        with suppress(OSError):  # where nothing can be written nothing is left either
            partial.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write strict JSON without secrets, so that the file is either the old or the new one."""
    with whole_file(path) as partial, partial.open("wb") as stream:
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
        stream.write(scrub(text).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
