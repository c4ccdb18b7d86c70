"""Make ready: load data, prepare cases, build models. No file of the run directory is touched yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from genrec_eval.core.errors import MissingData, UsageError, did_you_mean
from genrec_eval.core.randomness import generator
from genrec_eval.core.secrets import scrub
from genrec_eval.engine.plan import Pairing, Plan, Player, make_player
from genrec_eval.engine.progress import Progress
from genrec_eval.protocol.results import Coverage
from genrec_eval.scenarios.elsewhere import refuse_ungrouped

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.experiments.exposures import Exposures
    from genrec_eval.data.judgements.log import JudgementLog
    from genrec_eval.scenarios.base import Prepared, Scenario
    from genrec_eval.suite.load import LoadedSuite


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A scenario with everything that is needed to play it.

    Attributes
    ----------
    rows
        Rows of the case table that are played.
    players
        Models that take part.
    absent
        Models that cannot, and why.
    data
        What ``run.json`` keeps of the data set, by its name in the suite; empty without one.
    """

    name: str
    scenario: Scenario
    prepared: Prepared
    rows: np.ndarray
    players: list[Player]
    absent: list[Coverage]
    data: dict[str, Any]


def make_ready(loaded: LoadedSuite, plan: Plan, progress: Progress, build: bool = True) -> list[Stage]:
    """Everything that may turn out wrong before the first question is asked.

    Parameters
    ----------
    build
        Whether the models are built too; without them a stage has no players.

    Raises
    ------
    UsageError
        When data or models are not as they should be; an earlier run is still as it was. Data that may be
        missing, and are, take their scenarios off the plan instead.
    """
    datasets: dict[str, Any] = {}
    stages = []
    for name, entry in loaded.suite.scenarios.items():
        pairings = plan.of(name)
        if not pairings:
            continue
        scenario = loaded.scenario(name)
        named = [*filter(None, [entry.data]), *scenario.others()]
        try:
            for other in named:
                if other not in datasets:
                    datasets[other] = _load(loaded, other, progress, name)
        except MissingData as error:
            _leave_out(plan, pairings, str(error))
            continue
        dataset = datasets.get(entry.data or "")
        scenario.datasets = {other: datasets[other] for other in scenario.others()}
        with _of_scenario(loaded, name, scenario.name):
            prepared = scenario.prepare(dataset)
            refuse_ungrouped(scenario.name, scenario.metrics(), prepared.cases)
        for finding in prepared.facts.get("leakage") or ():
            if finding["severity"] == "warning":
                progress.note(f"scenario '{name}': {finding['sentence']}")
        built = [_build(loaded, pairing, scenario, prepared) for pairing in pairings if build]
        stages.append(
            Stage(
                name=name,
                scenario=scenario,
                prepared=prepared,
                rows=_rows(prepared, plan.limit, loaded.suite.seed, name),
                players=[one for one in built if isinstance(one, Player)],
                absent=[one for one in built if isinstance(one, Coverage)],
                data={other: _facts(datasets[other]) for other in named},
            )
        )
    return stages


def described(player: Player) -> dict[str, Any]:
    """What ``run.json`` keeps of a model."""
    about: dict[str, Any] = {"adapter": getattr(player.pairing.spec, "adapter", None)}
    about["description"] = player.pairing.spec.description
    about["identity"] = player.model.identity()
    about["repeats"] = player.repeats
    about["planted"] = getattr(player.model, "planted", None)
    if remark := getattr(player.model, "remark", None):
        about["remark"] = remark
    if player.translator is not None:
        about["recommender"] = player.translator.identity()
    return dict(orjson.loads(scrub(orjson.dumps(about).decode())))


def _load(
    loaded: LoadedSuite, name: str, progress: Progress, scenario: str
) -> Dataset | Exposures | JudgementLog:
    if name not in loaded.suite.data:
        raise UsageError(
            f"{loaded.where(('scenarios', scenario))}: scenario '{scenario}' names the data set '{name}',"
            f" which is not under data{did_you_mean(name, loaded.suite.data)}"
            f" (known: {', '.join(loaded.suite.data) or 'none'})"
        )
    dataset = loaded.suite.data[name].options.load(loaded.folder, loaded.suite.seed)
    for warning in dataset.facts.get("warnings") or ():
        progress.note(f"data set '{name}': {warning}")
    return dataset


def _leave_out(plan: Plan, pairings: list[Pairing], reason: str) -> None:
    """Take pairings off the plan, which were due."""
    said = scrub(reason)
    plan.left_out += [
        Coverage(model=one.model, scenario=one.scenario, state="not-run", reason=said, due=True)
        for one in pairings
    ]
    plan.pairings = [one for one in plan.pairings if one not in pairings]


def _facts(dataset: Dataset | Exposures | JudgementLog) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "digest": dataset.digest,
        "licence": dataset.licence,
        "source": dataset.source,
        "facts": dict(dataset.facts),
    }


def _build(
    loaded: LoadedSuite, pairing: Pairing, scenario: Scenario, prepared: Prepared
) -> Player | Coverage:
    with _placed(loaded, pairing.model):
        return make_player(pairing, scenario, prepared, loaded.folder, loaded.suite)


@contextmanager
def _placed(loaded: LoadedSuite, model: str) -> Iterator[None]:
    """Say whose fault it is: the line of the suite and the model, before what is wrong."""
    try:
        yield
    except UsageError as error:
        said, who = str(error), f"model '{model}'"
        said = said if said.startswith(who) else f"{who}: {said}"
        raise UsageError(f"{loaded.where(('models', model))}: {said}") from error


@contextmanager
def _of_scenario(loaded: LoadedSuite, name: str, family: str) -> Iterator[None]:
    """Say which scenario of the suite it is, and its line, before what is wrong."""
    try:
        yield
    except UsageError as error:
        said = str(error).removeprefix(f"scenario '{family}': ")
        place = loaded.where(("scenarios", name))
        raise UsageError(f"{place}: scenario '{name}': {said}") from error


def _rows(prepared: Prepared, limit: int | None, seed: int, scenario: str) -> np.ndarray:
    """All cases, or ``limit`` of them: those of units drawn at random, as whole units as can be."""
    n = len(prepared.cases)
    if limit is None or limit >= n:
        return np.arange(n)
    units = prepared.cases.column("unit").combine_chunks().dictionary_encode()
    of = units.indices.to_numpy(zero_copy_only=False)
    drawn = generator(seed, "limit", scenario).permutation(len(units.dictionary))
    place = np.empty(len(drawn), np.int64)
    place[drawn] = np.arange(len(drawn))
    return np.sort(np.argsort(place[of], kind="stable")[:limit])
