"""Contents of a run directory, and run directories whose ``run.json`` was changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from genrec_eval.reporting.contents.contents import Contents, contents
from genrec_eval.reporting.page.assemble import material_of
from genrec_eval.reporting.results import Results, read_json

HOSTILE = "<script>alert(1)</script> \u202egnp {{ 7*7 }} \"' <img src=x onerror=alert(2)>"


def audited(directory: Path, against: Path | None = None) -> Contents:
    run = read_json(directory / "run.json")
    return contents(material_of(Results.load(directory), run, directory, against=against))


def changed(directory: Path, change: Callable[[dict[str, Any]], Any], name: str = "run.json") -> Path:
    path = directory / name
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return directory
