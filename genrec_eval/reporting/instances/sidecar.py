"""The file beside the page: one JSON object a line, gzipped, the same bytes for the same run."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import orjson

from genrec_eval.engine.rundir import disk_faults
from genrec_eval.reporting.instances.types import SCHEMA, Row, Scene, Sidecar

_TITLES = 500


def sidecar_path(page: Path) -> Path:
    """Where the sidecar of a page lies.

    >>> sidecar_path(Path("out/audit.html")).name
    'audit.instances.jsonl.gz'
    """
    return page.with_name(f"{page.stem}.instances.jsonl.gz")


def sidecar_key(run: str, directory: Path) -> str:
    """What a page and its sidecar share: made from the run's id and its figures."""
    digest = hashlib.sha256(run.encode() + b"\0")
    digest.update((directory / "estimates.json").read_bytes())
    return digest.hexdigest()[:32]


class SidecarWriter:
    """Writes a sidecar line by line; whole or not at all.

    The first line says whose it is. A line with ``scene`` comes before the instances of its scenario, then
    lines with ``titles`` of items, as ``[[id, title], …]``; every other line is an instance.
    """

    def __init__(self, path: Path, run: str, key: str) -> None:
        self._path, self._run, self._key = path, run, key
        self._partial = path.with_name(path.name + ".partial")
        self.rows = 0

    def __enter__(self) -> SidecarWriter:
        with disk_faults(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._raw: IO[bytes] = self._partial.open("wb")
            # no name and no time inside: the same run gives the same bytes
            self._file = gzip.GzipFile(filename="", mode="wb", compresslevel=5, fileobj=self._raw, mtime=0)
        self._line({"schema": SCHEMA, "run": self._run, "key": self._key})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with disk_faults(self._path):
                self._file.close()
                self._raw.close()
                if kind is None:
                    self._partial.replace(self._path)
        finally:
            self._partial.unlink(missing_ok=True)

    def _line(self, value: Mapping[str, Any]) -> None:
        with disk_faults(self._path):
            self._file.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))

    def scene(self, number: int, scene: Scene, models: list[str], titles: Mapping[str, str]) -> None:
        """Begin a scenario."""
        self._line(
            {
                "scene": number,
                "name": scene.name,
                "models": models,
                "groups": list(scene.groups),
                "metrics": [list(one) for one in scene.metrics],
                "main": scene.main,
                "against": scene.against,
            }
        )
        pairs = [[item[:200], title] for item, title in titles.items()]
        for start in range(0, len(pairs), _TITLES):
            self._line({"titles": pairs[start : start + _TITLES]})

    def add(self, row: Row) -> None:
        """One instance."""
        self._line(row)
        self.rows += 1

    def done(self) -> Sidecar:
        """What was written; after the end of the ``with`` block."""
        with disk_faults(self._path), self._path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return Sidecar(
            name=self._path.name,
            rows=self.rows,
            key=self._key,
            sha256=digest,
            size=self._path.stat().st_size,
        )
