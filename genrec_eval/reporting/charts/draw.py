"""All charts of one scenario, in the order of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrec_eval.reporting.charts.chart import Chart, Scene, Sketch
from genrec_eval.reporting.charts.choose import main_metrics
from genrec_eval.reporting.charts.curves import curves
from genrec_eval.reporting.charts.forest import forest, paired
from genrec_eval.reporting.charts.reliability import reliability
from genrec_eval.reporting.charts.spread import spread
from genrec_eval.reporting.charts.timing import cost, latency, timed
from genrec_eval.reporting.charts.tradeoff import disparity, tradeoff
from genrec_eval.reporting.distributions import Distribution, Key, distributions
from genrec_eval.reporting.results import Results

if TYPE_CHECKING:
    from genrec_eval.reporting.page.material import Material


def charts_of(material: Material) -> dict[str, list[Chart]]:
    """Scenario → its charts, for the report."""
    results, scores = material.results, distributions(material.directory / "scores.parquet")
    return {
        scenario: charts(
            results,
            material.run,
            material.directory,
            scenario,
            material.order,
            anchor=f"c{number}-",
            scores=scores,
        )
        for number, scenario in enumerate(results.scenarios(), 1)
    }


def charts(
    results: Results,
    run: Mapping[str, Any],
    directory: Path,
    scenario: str,
    order: Sequence[str],
    *,
    anchor: str = "c",
    scores: Mapping[Key, Distribution] | None = None,
) -> list[Chart]:
    """The charts of a scenario; kinds for which the run has no data are left out.

    Parameters
    ----------
    order
        All models of the report: position is hue and marker.
    anchor
        What the anchors begin with; unique in the page.
    scores
        Distributions of the scores of the whole run, where they were read already.
    """
    scene = Scene(results, run, directory, scenario, order, main_metrics(results, scenario))
    return [
        sketch.drawn(f"{anchor}{number}")
        for number, sketch in enumerate(sketches(scene, scores), 1)
        if sketch.panels
    ]


def sketches(scene: Scene, scores: Mapping[Key, Distribution] | None = None) -> list[Sketch]:
    """The same before they are drawn."""
    if scores is None:
        scores = distributions(scene.directory / "scores.parquet")
    exchanges = timed(scene)
    found = [
        forest(scene),
        paired(scene),
        tradeoff(scene),
        disparity(scene),
        *curves(scene),
        spread(scene, scores),
        *reliability(scene),
        latency(scene, exchanges),
        cost(scene, exchanges),
    ]
    return [sketch for sketch in found if sketch is not None]
