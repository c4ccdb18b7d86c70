"""``genrec-eval doctor``: is the installation whole, and is what a suite needs there?"""

from __future__ import annotations

from typing import Annotated

import typer

from genrec_eval.cli.console import output
from genrec_eval.core.errors import Exit, GenrecError

Row = tuple[str, bool, str]
_LISTED = 20
"""Most names that are spelled out."""


def doctor(
    suite: Annotated[
        str | None, typer.Argument(metavar="SUITE", help="Also check what this suite needs.")
    ] = None,
) -> int:
    """Check the installation, the plug-ins and, with a suite, its data, and the files, programs and packages
    that its models need.

    Asks no model and opens no connection.
    """
    from rich.table import Table
    from rich.text import Text

    rows = [*_installation(), *_plugins(), *([] if suite is None else _suite(suite))]
    table = Table.grid(padding=(0, 2))
    for name, good, detail in rows:
        table.add_row("ok" if good else "PROBLEM", Text(name), Text(detail, overflow="fold"))
    output().print(table)
    return Exit.PASS if all(good for _, good, _ in rows) else Exit.USAGE


def _installation() -> list[Row]:
    import os
    import platform
    import shutil
    import sys
    from pathlib import Path

    from genrec_eval import __version__
    from genrec_eval.core.content import content
    from genrec_eval.engine.environment import versions

    rows: list[Row] = [
        ("genrec-eval", True, __version__),
        ("python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.platform()}"),
        ("packages", True, ", ".join(f"{name} {version}" for name, version in versions().items())),
    ]
    for extra, package, use in (
        ("torch", "torch", "neural reference models, such as sasrec"),
        ("fast", "numba", "metrics of many users by compiled code; the figures are the same"),
    ):
        have = versions().get(package)
        said = f"{package} {have}" if have else f"not installed: pip install 'genrec-eval[{extra}]'"
        rows.append((f"extra {extra}", True, f"{said} ({use})"))
    for folder in ("suites", "judges", "reports"):
        place = content(folder)
        rows.append((f"shipped {folder}", place.is_dir(), str(place)))
    here = Path.cwd()
    free = shutil.disk_usage(here).free / 1e9
    writable = os.access(here, os.W_OK)
    said = f"{free:.1f} GB free" if writable else "not writable; runs need --out FOLDER"
    rows.append(("working folder", writable, f"{here}, {said}"))
    return rows


def _plugins() -> list[Row]:
    from genrec_eval.data.registry import DATASETS
    from genrec_eval.metrics.registry import METRICS
    from genrec_eval.models.spec import ADAPTERS
    from genrec_eval.scenarios.base import SCENARIOS

    rows: list[Row] = []
    for registry in (ADAPTERS, SCENARIOS, METRICS, DATASETS):
        for name in registry.names():
            try:
                registry.get(name)
            except GenrecError as error:
                rows.append((f"{registry.kind} {name}", False, str(error)))
        known = registry.names()
        listed = f"{len(known)}: see genrec-eval list {registry.kind}s"
        rows.append((f"{registry.kind}s", True, listed if len(known) > _LISTED else ", ".join(known)))
    return rows


def _suite(source: str) -> list[Row]:
    from genrec_eval.suite.load import check_metrics, check_prompts, missing_environment, resolve

    try:
        loaded = resolve(source)
        check_metrics(loaded)
        check_prompts(loaded)
    except GenrecError as error:
        return [(f"suite {source}", False, line) for line in str(error).splitlines()]
    from genrec_eval.data.experiments.exposures import Exposures
    from genrec_eval.data.judgements.log import JudgementLog
    from genrec_eval.models.spec import BuildContext

    rows: list[Row] = [(f"suite {source}", True, "valid")]
    rows += [(f"suite {source}", False, sentence) for sentence in missing_environment(loaded)]
    if len(rows) > 1:
        return rows
    played = [(f"model {name}", model) for name, model in loaded.suite.models.items()]
    judging = [(f"judge {name}", judge.model) for name, judge in loaded.suite.judges.items()]
    for said, model in [*played, *judging]:
        name = said.partition(" ")[2]
        try:
            model.check(BuildContext(name=name, folder=loaded.folder, training=None, seed=loaded.suite.seed))
        except GenrecError as error:
            rows.append((said, False, str(error)))
    for name, data in loaded.suite.data.items():
        try:
            dataset = data.options.load(loaded.folder, loaded.suite.seed)
        except GenrecError as error:
            rows.append((f"data {name}", False, str(error)))
            continue
        if isinstance(dataset, JudgementLog):
            rows.append((f"data {name}", True, f"{len(dataset):,} judgements"))
            continue
        counts = f"{len(dataset.users):,} users, "
        if isinstance(dataset, Exposures):
            counts += f"{len(dataset.arms)} arms, {len(dataset.user):,} exposures"
        else:
            counts += f"{len(dataset.items):,} items, {len(dataset.interactions):,} interactions"
        rows.append((f"data {name}", True, counts))
    return rows
