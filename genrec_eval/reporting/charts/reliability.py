"""Reliability: predicted beside observed ratings; how far judges agree with themselves and with people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrec_eval.core.errors import UsageError
from genrec_eval.core.numbers import figure
from genrec_eval.reporting.answer import few
from genrec_eval.reporting.charts.chart import Scene, Sketch, ends, exactly, has_interval, titled
from genrec_eval.reporting.charts.choose import name_of
from genrec_eval.reporting.charts.panel import MUTED, Axis, Panel, Row, hue, marker
from genrec_eval.reporting.charts.rows import Triple, rows_panel
from genrec_eval.reporting.judged import TASKS
from genrec_eval.reporting.results import mapping
from genrec_eval.reporting.text import line, listing, plural

if TYPE_CHECKING:
    from genrec_eval.reporting.charts.calibration import Bin
    from genrec_eval.stats.sums import Measure

OF_JUDGES = (
    "human_agreement",
    "judge_accuracy",
    "judge_kappa",
    "probe_accuracy",
    "positional_agreement",
    "position_consistency",
    "repeat_agreement",
    "repeat_stability",
    "panel_agreement",
)
"""Measures of how far a judge can be relied on, in the order of the drawing."""
MOST = 4
_JUDGEMENTS = 20_000
"""Judgements of one question up to which intervals are resampled here; beyond them the audit has them."""
_HEIGHT = 220


def reliability(scene: Scene) -> list[Sketch]:
    """What of the kind the scenario has data for; often nothing."""
    found = [_measured(scene), _judged(scene), _ratings(scene)]
    return [sketch for sketch in found if sketch is not None]


def _measured(scene: Scene) -> Sketch | None:
    """Where judges are what is tested: their agreement, as measured."""
    metrics = [
        m
        for m in scene.results.metrics(scene.scenario)
        if name_of(m) in OF_JUDGES and m not in scene.main and scene.known(m)
    ]
    metrics = sorted(metrics, key=lambda m: OF_JUDGES.index(name_of(m)))[:MOST]
    if not metrics:
        return None
    panels, rows, said = [], [], []
    for metric in metrics:
        shown = scene.known(metric)
        panels.append(
            rows_panel(
                scene.heading(metric),
                f"{scene.results.title(metric)} of {plural(len(shown), 'judge')} with intervals",
                [row.model for row in shown],
                [ends(row, 1.0) for row in shown],
                [scene.position(row.model) for row in shown],
                [],
                scene.results.unit(metric),
            )
        )
        unit = scene.results.unit(metric)
        low, high = (pick(shown, key=lambda row: row.value or 0.0) for pick in (min, max))
        least, most = (str(figure(row.value, row.low, row.high, unit=unit)) for row in (low, high))
        said.append(
            f"{scene.results.title(metric)} from {least} ({line(low.model, 60)}) to {most}"
            f" ({line(high.model, 60)})"
            if low.value != high.value
            else f"{scene.results.title(metric)} is {least} with {few([line(r.model, 60) for r in shown])}"
        )
        for row in shown:
            figures = (exactly(v, unit) for v in (row.value, row.low, row.high))
            rows.append((titled(scene.results, metric), line(row.model, 80), *figures))
    return Sketch(
        "reliability",
        "; ".join(said[:2]),
        "How far each judge can be relied on, with intervals, on one scale per measure.",
        panels,
        ("measure", "judge", "value", "low", "high"),
        rows,
        words=2,
    )


def _judged(scene: Scene) -> Sketch | None:
    """Where judges scored answers: whether they say the same in both orders and when asked again."""
    asked = mapping(mapping(mapping(scene.run.get("suite")).get("scenarios")).get(scene.scenario))
    if not asked.get("judging") or not (scene.directory / "judgements.parquet").is_file():
        return None
    try:
        found = _of_judgements(scene)
    except (UsageError, KeyError, TypeError, ValueError):
        return None  # the section on judges says why they cannot be read
    panels: list[Panel] = []
    rows: list[tuple[str, ...]] = []
    said: list[str] = []
    for what, shown in found.items():
        if not shown:
            continue
        names = [name for name, _, _ in shown]
        judges = list(dict.fromkeys(judge for one in found.values() for _, judge, _ in one))
        panels.append(
            rows_panel(
                f"{what} in %",
                f"{what}: {plural(len(shown), 'question')} to judges, with intervals",
                names,
                [triple for _, _, triple in shown],
                [judges.index(judge) for _, judge, _ in shown],
                [],
                "share",
                most=26,
            )
        )
        least = min(shown, key=lambda one: one[2][0])
        value = figure(*least[2], unit="share")
        said.append(f"{what} in {value}{' at least' if len(shown) > 1 else ''} ({line(least[0], 60)})")
        rows += [(what, line(name, 80), *(exactly(v, "share") for v in triple)) for name, _, triple in shown]
    if not panels:
        return None
    return Sketch(
        "reliability",
        "; ".join(said),
        "One row for each question put to a judge, with its interval over units. A judge that changes its"
        " mind with the order, or when asked again, cannot decide close calls.",
        panels,
        ("measure", "judge and question", "value", "low", "high"),
        rows,
        words=2,
    )


def _of_judgements(scene: Scene) -> dict[str, list[tuple[str, str, Triple]]]:
    """Measure → (name of the row, judge, figures)."""
    from genrec_eval.engine.rundir import RunDirectory
    from genrec_eval.judging.audit.position import position
    from genrec_eval.judging.audit.stability import stability
    from genrec_eval.judging.audit.verdicts import questions, verdicts_of
    from genrec_eval.protocol.tables import JUDGEMENTS

    wanted = [name for name in JUDGEMENTS.names if name not in ("raw", "logprobs", "text", "reason")]
    table = RunDirectory.open(scene.directory).judgements(scene.scenario, wanted)
    seed = int(scene.run.get("seed") or 0)
    orders: list[tuple[str, str, Triple]] = []
    again: list[tuple[str, str, Triple]] = []
    for judge, dialect, rubric, task in questions(table):
        verdicts = verdicts_of(table, judge=judge, dialect=dialect, rubric=rubric, task=task)
        if not 0 < len(verdicts) <= _JUDGEMENTS:
            continue
        name = f"{judge}, {rubric}" + (f", {TASKS.get(task, task)}" if task != "pairwise" else "")
        if verdicts.pairwise and set(verdicts.swapped[verdicts.judged].tolist()) >= {0, 1}:
            _keep(orders, name, judge, position(verdicts, seed=seed).consistency)
        if (verdicts.sample > 0).any():
            _keep(again, name, judge, stability(verdicts, seed=seed).pairs)
    return {"Same verdict in both orders": orders, "Same verdict when asked again": again}


def _keep(into: list[tuple[str, str, Triple]], name: str, judge: str, measure: Measure) -> None:
    if has_interval(measure):
        into.append((name, judge, ends(measure, 1.0)))


def _ratings(scene: Scene) -> Sketch | None:
    """Mean observed rating by predicted rating, for each model that predicts any."""
    declared = mapping(mapping(mapping(scene.run.get("suite")).get("scenarios")).get(scene.scenario))
    if declared.get("scenario") != "rating" or not (scene.directory / "cases").is_dir():
        return None
    from genrec_eval.reporting.charts.calibration import calibrated

    found: dict[str, list[Bin]] = {}
    for model in scene.order:
        try:
            bins = calibrated(scene.directory, scene.scenario, model)
        except (UsageError, KeyError, TypeError, ValueError):
            continue  # its figures, where there are any, say why
        if bins:
            found[model] = bins
    if not found:
        return None
    sides = [end for bins in found.values() for one in bins for end in (one.predicted, one.low, one.high)]
    axis = Axis.over(sides)
    panels: list[Panel] = []
    rows: list[tuple[str, ...]] = []
    said: list[str] = []
    for model, bins in found.items():
        panel = Panel(
            line(model, 60),
            f"Observed against predicted ratings of {line(model, 60)} in {plural(len(bins), 'bin')}",
            x=Axis(axis.low, axis.high, axis.ticks, axis.places, "predicted rating"),
            y=Axis(axis.low, axis.high, axis.ticks, axis.places, "observed rating"),
            height=_HEIGHT,
            left=46,
            right=20,
            top=26,
            bottom=44,
        )
        position = scene.position(model)
        ends_ = {"x": axis.low, "x2": axis.high, "y": axis.low, "y2": axis.high, "c": MUTED}
        panel.put("spans", [ends_], strokeWidth=1, strokeDash=[3, 3])
        spans: list[Row] = []
        dots: list[Row] = []
        path: list[Row] = []
        for i, one in enumerate(bins):
            x = one.predicted
            if one.low is not None and one.high is not None:
                spans.append({"x": x, "x2": x, "y": one.low, "y2": one.high, "c": hue(position)})
            dots.append({"x": x, "y": one.observed, "c": hue(position), "s": marker(position)})
            path.append({"x": x, "y": one.observed, "o": i, "g": "", "c": hue(position)})
            shown = (exactly(v, "") for v in (one.predicted, one.observed, one.low, one.high))
            rows.append((line(model, 80), f"{one.n:,}", *shown))
        panel.put("spans", spans)
        panel.put("paths", path if len(path) > 1 else [], strokeWidth=1, opacity=0.6)
        panel.put("dots", dots, size=2.6)
        panels.append(panel)
        judged = [one for one in bins if one.low is not None and one.high is not None]
        held = sum((one.low or 0.0) <= one.predicted <= (one.high or 0.0) for one in judged)
        said.append(f"{line(model, 60)} in {held} of {len(judged)} bins")
    return Sketch(
        "reliability",
        f"Predicted ratings agree with observed ones for {listing(said)}",
        "Predictions sorted and cut into bins of equal numbers; each mark is the mean of what users gave,"
        " with its 95 % interval clustered by user. On the dashed diagonal a prediction means what it says.",
        panels,
        ("model", "ratings", "predicted", "observed", "low", "high"),
        rows,
    )
