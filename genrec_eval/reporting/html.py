"""The HTML report: one file, nothing from the network, whole without its script."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from genrec_eval.audit.chain.build import seal_pages
from genrec_eval.audit.comparing.types import Comparison
from genrec_eval.core.content import content
from genrec_eval.engine.rundir import disk_faults
from genrec_eval.reporting.instances.types import BESIDE
from genrec_eval.reporting.results import Results, mapping, read_json
from genrec_eval.reporting.text import visible

_FLIPS = 1000
"""Flips of each model, scenario and metric that the report marks."""


def render_report(
    directory: Path,
    against: Path | None = None,
    *,
    sidecar: Path | None = None,
    beside: int | None = BESIDE,
) -> str:
    """Render the report of a run directory.

    The same directory gives the same text: no clock, no random draw.

    Parameters
    ----------
    directory
        Holds ``estimates.json`` and, where there are any, ``run.json``, ``scores.parquet`` and
        ``records/*.parquet``.
    against
        An earlier run that it is held against.
    sidecar
        Where to write the instances that do not fit; they are not written when None.
    beside
        Most instances of the sidecar; all when None.

    Raises
    ------
    UsageError
        When ``estimates.json`` is missing or broken, or of a newer version.
    """
    from genrec_eval.reporting.page.assemble import material_of, page

    results = Results.load(directory)
    run = mapping(read_json(directory / "run.json")) if (directory / "run.json").is_file() else {}
    material = material_of(
        results,
        run,
        directory,
        against=against,
        comparison=None if against is None else _compared(directory, against),
        sidecar=sidecar,
        beside=beside,
    )
    return str(environment("run").get_template("report.html.j2").render(page(material)))


def _compared(directory: Path, against: Path) -> Comparison:
    """The run held against an earlier one: for the panel, and for the instances that flipped."""
    from genrec_eval.audit.comparing.compare import compare
    from genrec_eval.audit.sources.run import RunSource

    with RunSource.open(directory) as candidate, RunSource.open(against) as reference:
        return compare(candidate, reference, shown=_FLIPS)


def write_report(
    directory: Path,
    out: Path | None = None,
    *,
    against: Path | None = None,
    reviews: Sequence[Path] = (),
    beside: int | None = BESIDE,
) -> Path:
    """Write the report of a run directory and return its path.

    Parameters
    ----------
    directory
        The run directory.
    out
        Where to write; ``report.html`` in the run directory by default.
    against, beside
        As for :func:`render_report`; the instances lie in ``<page>.instances.jsonl.gz`` beside the page.
    reviews
        Files of reviews, which are kept with the run and shown by this report and every later one.
    """
    from genrec_eval.reporting.instances.sidecar import sidecar_path
    from genrec_eval.reporting.review import merge_reviews

    merge_reviews(directory, reviews)
    out = out or directory / "report.html"
    text = render_report(directory, against, sidecar=sidecar_path(out), beside=beside)
    path = write_page(out, text)
    seal_pages(directory)
    return path


def write_page(path: Path, text: str) -> Path:
    """Write a page whole and return its path: a reader never sees half of one."""
    with disk_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written beside and moved.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    return path


@cache  # compiling the templates takes longer than a report
def environment(*folders: str) -> Any:
    """Templates of these folders of ``reports``, with ``stylesheet`` and ``script`` of ``reports/run``."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: Any) -> Any:
        # Every expression of every template passes here: strangers' text cannot hide or reorder anything.
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    made = Environment(
        loader=FileSystemLoader([content("reports") / folder for folder in folders]),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shared = content("reports") / "run"
    # what all others build on comes first
    styles, files = (
        sorted(shared.glob(f"*.{kind}"), key=lambda path: (path.stem != "report", path.name))
        for kind in ("css", "js")
    )
    made.globals["stylesheet"] = Markup("\n".join(path.read_text("utf-8") for path in styles))
    scripts = "\n".join(path.read_text("utf-8") for path in files)
    made.globals["script"] = Markup(scripts)
    # the policy lets this one script run, and nothing that a stranger wrote into the page
    made.globals["script_digest"] = base64.b64encode(hashlib.sha256(scripts.encode()).digest()).decode()
    return made
