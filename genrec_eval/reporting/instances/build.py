"""Which instances of a run a report shows, and what it says of the others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from genrec_eval.audit.comparing.types import Comparison
from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.arrays import Int64
from genrec_eval.protocol.status import Status
from genrec_eval.reporting.instances.choose import beside, inline, shares
from genrec_eval.reporting.instances.proof import Turn, proofs
from genrec_eval.reporting.instances.records import record_files, severity
from genrec_eval.reporting.instances.scene import Played, Stage, stage_of
from genrec_eval.reporting.instances.scores import Scores
from genrec_eval.reporting.instances.sidecar import SidecarWriter, sidecar_key
from genrec_eval.reporting.instances.types import Answers, Budget, Instances, Row, Shown, Sidecar
from genrec_eval.reporting.instances.view import view
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.text import listing, plural
from genrec_eval.scenarios.evidence import Evidence


def instances(
    results: Results,
    run: Mapping[str, Any],
    directory: Path,
    *,
    comparison: Comparison | None = None,
    budget: Budget | None = None,
    sidecar: Path | None = None,
) -> Instances | None:
    """The instances of a run: an instance is the answers of one model to one case.

    The worst, the flipped and a sample are made into HTML; all of them, up to the budget, are written to
    ``sidecar`` where more than fit are there. Memory holds a few numbers per instance, and the texts of a
    few thousand cases at a time.

    Parameters
    ----------
    comparison
        With an earlier run: its flips take the place of those against the baseline model.
    sidecar
        Where to write the others; they are not written when None.

    Returns
    -------
    Instances or None
        None when the run has no records.

    Raises
    ------
    UsageError
        When a table of the run cannot be read.
    """
    budget = budget or Budget()
    files = _files(directory, results)
    if not files:
        return None
    models = [*results.models()]
    models += [model for of in files.values() for model in of if model not in models]
    scores = Scores(directory)
    try:
        stages, silent = [], []
        for number, (scenario, of) in enumerate(files.items()):
            stage = stage_of(results, run, directory, number, scenario, of, models, scores, comparison)
            if all(set(one.records.statuses) <= {str(Status.LOGGED)} for one in stage.played):
                silent.append(f"Nothing was asked in scenario {scenario}: a log says what happened.")
            else:
                stages.append(stage)
        total = sum(stage.total for stage in stages)
        each = iter(shares(sum(len(stage.played) for stage in stages), budget))
        for stage in stages:
            for one in stage.played:
                one.picked = inline(one.order, one.flipped, stage.chance, next(each))
        picked = sum(len(one.picked) for stage in stages for one in stage.played)
        wide = sidecar is not None and budget.beside != 0 and picked < total
        key = sidecar_key(results.run, directory) if wide else ""
        made: dict[str, list[tuple[Played, list[tuple[int, Row]]]]] = {}
        written: SidecarWriter | None = None
        with ExitStack() as stack:
            if wide and sidecar is not None:
                written = stack.enter_context(SidecarWriter(sidecar, results.run, key))
            caps = beside([stage.total for stage in stages], budget)
            for stage, cap in zip(stages, caps, strict=True):
                made[stage.scene.name] = _stream(stage, scores, cap, models, written)
    finally:
        scores.close()
    proven = {
        name: proofs(
            directory, run, name, {one.model: [row["case"] for _, row in rows] for one, rows in of if rows}
        )
        for name, of in made.items()
    }
    answers = _inline(stages, made, proven, budget)
    held = written.done() if written is not None else None
    shown = sum(len(one.shown) for one in answers)
    return Instances(
        total=total,
        shown=shown,
        scenes={stage.scene.name: stage.scene for stage in stages},
        answers=answers,
        sentences=[
            *_sentences(stages, total, shown, held),
            *_unmarked(comparison),
            *_strangers(stages),
            *([scores.fault] if scores.fault else []),
        ],
        silent=silent,
        places={
            (one.scenario, one.model, each_.row["case"]): each_.anchor
            for one in answers
            for each_ in one.shown
        },
        sidecar=held,
        run=results.run,
    )


def anchor(model: str, scenario: str, case: str) -> str:
    """The id of an instance on the page; the same in every report that shows it."""
    text = "\0".join((model, scenario, case))
    return "i-" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def _files(directory: Path, results: Results) -> dict[str, dict[str, list[Path]]]:
    """Scenario → model → files of its records, in the order of the report."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found: dict[str, dict[str, list[Path]]] = {}
    for path in record_files(directory):
        try:
            # all rows of a part are of one pairing, which its first says; other programs may mix them
            table = pq.read_table(path, columns=["model", "scenario"])
        except (pa.ArrowException, OSError) as error:
            raise UsageError(f"{path} cannot be read ({error}); redo it with 'genrec-eval run'") from None
        if table.num_columns < 2:
            raise UsageError(f"{path} is not a table of records; redo it with 'genrec-eval run'")
        words = [table.column(name).cast(pa.string()) for name in ("scenario", "model")]
        pairs = pa.table(dict(zip(("scenario", "model"), words, strict=True)))
        for pair in pairs.group_by(["scenario", "model"]).aggregate([]).to_pylist():
            if pair["scenario"] is not None and pair["model"] is not None:
                found.setdefault(pair["scenario"], {}).setdefault(pair["model"], []).append(path)
    scenarios = _ordered(results.scenarios(), found)
    return {name: {m: found[name][m] for m in _ordered(results.models(), found[name])} for name in scenarios}


def _ordered(known: list[str], found: Mapping[str, Any]) -> list[str]:
    return [*(name for name in known if name in found), *sorted(set(found) - set(known))]


def _stream(
    stage: Stage, scores: Scores, cap: int | None, models: list[str], written: SidecarWriter | None
) -> list[tuple[Played, list[tuple[int, Row]]]]:
    """Make the rows of a scenario once: for the page, and for the sidecar where one is written."""
    keep = {one.model: frozenset(one.picked) for one in stage.played}
    wanted: dict[str, Int64] = {}
    for one in stage.played:
        rows = np.array(one.picked, np.int64)
        if written is not None:
            every = one.order
            if cap is not None:  # the same cases of all models, so that they can be compared
                most = stage.chance < max(1, cap // max(1, len(stage.played)))
                every = every[most[every]]
            rows = np.union1d(rows, every)
        wanted[one.model] = np.sort(rows)
    if written is not None:
        written.scene(stage.number, stage.scene, models, stage.cases.titles)
    found: dict[str, dict[int, Row]] = {one.model: {} for one in stage.played}
    for model, case, row in stage.rows(scores, wanted):
        if case in keep[model]:
            found[model][case] = row
        if written is not None:
            written.add(row)
    return [
        (one, [(case, found[one.model][case]) for case in one.picked if case in found[one.model]])
        for one in stage.played
    ]


def _inline(
    stages: list[Stage],
    made: Mapping[str, list[tuple[Played, list[tuple[int, Row]]]]],
    proven: Mapping[str, Mapping[Turn, Evidence]],
    budget: Budget,
) -> list[Answers]:
    """Render in turns over models and scenarios until the budget of bytes is spent."""
    from genrec_eval.reporting.html import environment

    macro = environment("run").get_template("_instance.html.j2").module.instance
    shown: dict[tuple[str, str], list[Shown]] = {}
    left = budget.size
    most = max((len(rows) for of in made.values() for _, rows in of), default=0)
    for at in range(most):
        for stage in stages:
            for one, rows in made[stage.scene.name]:
                if at >= len(rows):
                    continue
                row = rows[at][1]
                name = anchor(one.model, stage.scene.name, row["case"])
                found = partial(_proof, proven[stage.scene.name], one.model, row["case"])
                told = view(row, stage.scene, stage.cases.titles, found)
                opened = row["rank"] == 1 and severity(row["status"]) > 0
                html = Markup(macro(told, name, one.model, stage.scene, opened))
                size = len(html.encode())
                if size <= left:
                    left -= size
                    shown.setdefault((stage.scene.name, one.model), []).append(
                        Shown(anchor=name, row=row, html=html)
                    )
    return [
        Answers(
            scenario=stage.scene.name,
            model=one.model,
            total=len(one.order),
            statuses=one.records.counts(),
            flipped=int(one.flipped.sum()),
            shown=sorted(shown.get((stage.scene.name, one.model), ()), key=lambda found: found.row["rank"]),
        )
        for stage in stages
        for one in stage.played
    ]


def _proof(proven: Mapping[Turn, Evidence], model: str, case: str, repeat: int, step: int) -> Evidence | None:
    return proven.get((model, case, repeat, step))


def _sentences(stages: list[Stage], total: int, shown: int, held: Sidecar | None) -> list[str]:
    if shown >= total:
        return [f"All {plural(total, 'instance')} of the run stand in this file."] if total else []
    flips = any(one.flipped.any() for stage in stages for one in stage.played)
    kinds = ["of the worst", *(["of those that flipped"] if flips else []), "drawn by chance"]
    found = [
        f"{shown:,} of {plural(total, 'instance')} stand in this file: of each model in each scenario some "
        f"{listing(kinds)}."
    ]
    if held is None:
        found.append("The others lie in the records of the run.")
    elif held.rows >= total:
        found.append(f"All of them lie beside it in the file {held.name} ({_size(held.size)}).")
    else:
        found.append(
            f"{held.rows:,} of them, drawn by chance, lie beside it in the file {held.name} "
            f"({_size(held.size)}); the others in the records of the run."
        )
    return found


def _unmarked(comparison: Comparison | None) -> list[str]:
    """What is said where a comparison lists fewer flips than it counts."""
    if comparison is None:
        return []
    counted = sum(int(row["count"]) for row in comparison.flip_counts if "as" not in row)
    listed = len(comparison.flips)
    if counted <= listed:
        return []
    return [f"{listed:,} of {plural(counted, 'flip')} against the earlier run are marked, the greatest."]


def _strangers(stages: list[Stage]) -> list[str]:
    """What is said of records that belong to no instance."""
    lost = sum(one.records.strangers for stage in stages for one in stage.played)
    if not lost:
        return []
    return [f"{plural(lost, 'record')} without a status or of a case that the run does not hold: not shown."]


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
