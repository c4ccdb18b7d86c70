"""The command line, and a small suite to break."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from genrec_eval.cli.main import exit_code

WORLD = {"users": 40, "items": 60, "interactions_per_user": 10}
SCENARIO = {"scenario": "top-k", "data": "world", "options": {"k": 3, "metrics": ["recall"]}}


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Both streams."""
        return self.out + self.err

    def sentence(self) -> str:
        """The one sentence on standard error after the lines of progress, without its ``error:``."""
        *progress, last = self.err.strip().splitlines()
        assert last.startswith("error: "), self.err
        assert all(line.startswith("top-k · ") for line in progress), self.err
        self.civil()
        return last.removeprefix("error: ")

    def civil(self) -> Said:
        """Neither a traceback nor an error that nobody foresaw."""
        assert "Traceback" not in self.text, self.text
        assert "this is a fault of genrec-eval" not in self.text, self.text
        return self


def flat(text: str) -> str:
    """Text without the line breaks of the console."""
    return " ".join(text.split())


class Workshop:
    """A folder with a suite in it, the command line, and a look at what a run left."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.run_directory = folder / "out"
        self._capsys = capsys

    def suite(self, models: Mapping[str, Any] | None = None, **more: Any) -> Path:
        """Write a suite; ``more`` replaces or adds keys of the top level."""
        content = {
            "name": "bad",
            "data": {"world": {"dataset": "synthetic", "options": WORLD}},
            "models": models or {"popularity": {"adapter": "reference", "model": "popularity"}},
            "scenarios": {"top-k": SCENARIO},
            **more,
        }
        path = self.folder / "suite.yaml"
        path.write_text(json.dumps(content, indent=1))
        return path

    def python(self, source: str, **keys: Any) -> dict[str, Any]:
        """The entry of a model written in Python; its function is ``recommend``."""
        (self.folder / "model.py").write_text(source)
        return {"adapter": "python", "target": "model.py:recommend", **keys}

    def cli(self, *words: object) -> Said:
        """Run one command in this process."""
        self._capsys.readouterr()
        code = exit_code([str(word) for word in words])
        shown = self._capsys.readouterr()
        return Said(int(code), shown.out, shown.err).civil()

    def run(self, models: Mapping[str, Any] | None = None, **more: Any) -> Said:
        """Write a suite and play it into ``run_directory``, in this process, without its report."""
        return self.cli("run", self.suite(models, **more), "--out", self.run_directory, "--no-report")

    def again(self, *words: str) -> Said:
        """Play the suite as it lies."""
        words = ("--out", str(self.run_directory), *words)
        return self.cli("run", self.folder / "suite.yaml", *words, "--no-report")

    def command(self, *words: str) -> list[str]:
        """The command that plays the suite as it lies, for a process of its own."""
        path, out = str(self.folder / "suite.yaml"), str(self.run_directory)
        return [sys.executable, "-m", "genrec_eval.cli.main", "run", path, "--out", out, *words]

    def shell(self, *words: str, timeout: float = 60, **options: Any) -> Said:
        """Play the suite as it lies in a process of its own."""
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=timeout, cwd=self.folder, **options
        )
        return Said(done.returncode, done.stdout, done.stderr).civil()

    def coverage(self, model: str = "mine") -> dict[str, Any]:
        """The row of a model in ``estimates.json``."""
        document = json.loads((self.run_directory / "estimates.json").read_bytes())
        (row,) = [row for row in document["coverage"] if row["model"] == model]
        return dict(row)

    def journal(self) -> list[tuple[str, str | None, int]]:
        """Status, error and attempts of each exchange."""
        with sqlite3.connect(f"file:{self.run_directory / 'journal.sqlite'}?mode=ro", uri=True) as db:
            return db.execute("SELECT status, error, attempts FROM exchanges ORDER BY id").fetchall()

    def records(self, model: str = "mine") -> list[dict[str, Any]]:
        """The records of a model."""
        from genrec_eval.engine.rundir import RunDirectory

        directory = RunDirectory.open(self.run_directory)
        return [row for batch in directory.records(model, "top-k") for row in batch.to_pylist()]

    @property
    def report(self) -> str:
        """The HTML report, made where the run was played without."""
        path = self.run_directory / "report.html"
        if not path.exists():
            assert self.cli("report", self.run_directory).code == 0
        return path.read_text()
