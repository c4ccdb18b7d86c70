"""Play: from a suite to records. The only part of a run, with judging, that touches the outside world."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from genrec_eval.core.errors import GenrecError, UsageError
from genrec_eval.core.fingerprint import digest
from genrec_eval.core.randomness import generator
from genrec_eval.core.secrets import scrub
from genrec_eval.engine.budget import Budget
from genrec_eval.engine.environment import git_state, machine, versions
from genrec_eval.engine.exchange import Exchanger, Policy
from genrec_eval.engine.journal import Journal
from genrec_eval.engine.limits import Limiter
from genrec_eval.engine.plan import Plan, Player, make_plan, make_player
from genrec_eval.engine.play_async import play_cases
from genrec_eval.engine.play_batch import play_batches
from genrec_eval.engine.progress import Interrupted, Progress
from genrec_eval.engine.records import RecordWriter, drop_stale
from genrec_eval.engine.rundir import FORMAT, RunDirectory
from genrec_eval.engine.summary import cover, usage
from genrec_eval.protocol.model import BatchModel, Model
from genrec_eval.protocol.results import Coverage

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.scenarios.base import Prepared, Scenario
    from genrec_eval.suite.load import LoadedSuite


@dataclass(slots=True)
class _Session:
    """What the models of a run share."""

    loaded: LoadedSuite
    directory: RunDirectory
    journal: Journal
    budget: Budget
    progress: Progress
    limiters: dict[str, Limiter] = field(default_factory=dict)
    datasets: dict[str, Dataset] = field(default_factory=dict)

    @property
    def engine(self) -> Any:
        """Engine options of the suite."""
        return self.loaded.suite.engine

    def limiter(self, player: Player) -> Limiter:
        """The limiter of the player's endpoint; in-process models have one each."""
        assert isinstance(player.model, Model)
        place = player.model.endpoint or f"{player.pairing.model}@{player.pairing.scenario}"
        limiter = self.limiters.setdefault(place, Limiter(self.most(player)))
        limiter.most = max(limiter.most, self.most(player))  # each keeps to its own limit besides
        return limiter

    def most(self, player: Player) -> int:
        """Most calls of a player in flight."""
        return int(player.pairing.spec.limit or self.engine.limit)

    def dataset(self, name: str) -> Dataset:
        """The data set of that name, loaded once."""
        if name not in self.datasets:
            options = self.loaded.suite.data[name].options
            self.datasets[name] = options.load(self.loaded.folder, self.loaded.suite.seed)
            for warning in self.datasets[name].facts.get("warnings") or ():
                self.progress.note(f"data set '{name}': {warning}")
        return self.datasets[name]


def play(
    loaded: LoadedSuite,
    directory: RunDirectory,
    progress: Progress,
    only: tuple[str, ...] = (),
    limit: int | None = None,
) -> None:
    """Play a suite into a run directory, or go on where an interrupted run stopped.

    Parameters
    ----------
    loaded
        The suite with its folder.
    directory
        Where the run lies; held for writing by the caller.
    progress
        What the user sees.
    only
        Patterns of models, scenarios or ``model/scenario`` to play.
    limit
        Most cases per scenario, a seeded sample; None for all.
    """
    suite, run = loaded.suite, directory.run
    plan = make_plan(suite, only)
    run |= {
        "format": FORMAT,
        "name": suite.name,
        "suite": loaded.resolved,
        "folder": str(loaded.folder),
        "claims_at": [loaded.where(("claims", index)) for index in range(len(suite.claims))],
        "seed": suite.seed,
        "only": list(only),
        "limit": limit,
        "created": run.get("created") or _now(),
        "finished": None,
        "state": "playing",
        "versions": versions(),
        "environment": machine(),
        "git": git_state(loaded.folder),
        "data": {},
        "scenarios": {},
        "models": {},
        "play": [],
        "limits": {},
        "coverage": [row.to_json() for row in plan.left_out],
    }
    directory.save()
    directory.begin([(pairing.model, pairing.scenario) for pairing in plan.pairings])
    journal = Journal(directory.path / "journal.sqlite")
    try:
        spent = journal.spent()
        ceilings = suite.engine.budget
        budget = Budget(
            calls=ceilings.calls,
            tokens=ceilings.tokens,
            money=ceilings.money,
            seconds=ceilings.seconds,
            used_calls=int(spent["calls"]),
            used_tokens=int(spent["tokens"]),
            used_money=spent["money"],
        )
        session = _Session(loaded, directory, journal, budget, progress)
        with progress:
            for name in suite.scenarios:
                _play_scenario(session, plan, name, limit)
    except Interrupted:
        raise KeyboardInterrupt from None
    finally:
        journal.close()
    run["limits"] = {place: limiter.describe() for place, limiter in session.limiters.items() if limiter.cuts}
    run["run"] = digest([_asked(loaded.resolved), run["data"], run["models"], list(only), limit])[:16]
    run |= {"state": "played", "finished": _now()}
    directory.save()


def _asked(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a suite that numbers and verdicts depend on: limits and retries change neither."""
    asked = {name: value for name, value in resolved.items() if name != "engine"}
    return {**asked, "error_budget": resolved["engine"]["error_budget"]}


def _play_scenario(session: _Session, plan: Plan, name: str, limit: int | None) -> None:
    pairings = plan.of(name)
    if not pairings:
        return
    suite, run = session.loaded.suite, session.directory.run
    described = suite.scenarios[name]
    scenario = session.loaded.scenario(name)
    dataset = None if described.data is None else session.dataset(described.data)
    prepared = scenario.prepare(dataset)
    rows = _rows(prepared, limit, suite.seed, name)
    session.directory.store_cases(name, prepared.cases.take(rows), prepared.context)
    run["scenarios"][name] = {
        "scenario": described.scenario,
        "cases": len(rows),
        "facts": dict(prepared.facts),
    }
    if dataset is not None:
        run["data"][described.data] = {
            "name": dataset.name,
            "digest": dataset.digest,
            "licence": dataset.licence,
            "source": dataset.source,
            "facts": dict(dataset.facts),
        }
    players = []
    for pairing in pairings:
        with _placed(session.loaded, pairing.model):
            player = make_player(pairing, scenario, prepared, session.loaded.folder, suite)
        if isinstance(player, Coverage):
            run["coverage"].append(player.to_json())
            drop_stale(session.directory.records_folder, pairing.model, name, kept=0)
        else:
            players.append(player)
            described_model = run["models"].setdefault(player.pairing.model, {})[name] = _described(player)
            if "remark" in described_model:
                session.progress.note(f"{player.pairing.model}: {described_model['remark']}")
    session.directory.save()
    stopped = _play_players(session, scenario, prepared, rows, players)
    for player in players:
        _finish(session, player, len(rows) * player.repeats, stopped.get(player.pairing.model))


@contextmanager
def _placed(loaded: LoadedSuite, model: str) -> Iterator[None]:
    """Say whose fault it is: the line of the suite and the model, before what is wrong."""
    try:
        yield
    except UsageError as error:
        said, who = str(error), f"model '{model}'"
        said = said if said.startswith(who) else f"{who}: {said}"
        raise UsageError(f"{loaded.where(('models', model))}: {said}") from error


def _rows(prepared: Prepared, limit: int | None, seed: int, scenario: str) -> np.ndarray:
    n = len(prepared.cases)
    if limit is None or limit >= n:
        return np.arange(n)
    return np.sort(generator(seed, "limit", scenario).permutation(n)[:limit])


def _described(player: Player) -> dict[str, Any]:
    described: dict[str, Any] = {"adapter": getattr(player.pairing.spec, "adapter", None)}
    described["description"] = player.pairing.spec.description
    described["identity"] = player.model.identity()
    described["repeats"] = player.repeats
    described["planted"] = getattr(player.model, "planted", None)
    if remark := getattr(player.model, "remark", None):
        described["remark"] = remark
    if player.translator is not None:
        described["recommender"] = player.translator.identity()
    return dict(orjson.loads(scrub(orjson.dumps(described).decode())))


def _play_players(
    session: _Session, scenario: Scenario, prepared: Prepared, rows: np.ndarray, players: list[Player]
) -> dict[str, str]:
    """Play all models; return why each stopped early, where one did."""
    one_by_one = []
    for player in players:
        if not isinstance(player.model, BatchModel):
            one_by_one.append(player)
            continue
        pairing = player.pairing
        play_batches(
            scenario,
            prepared,
            rows,
            player.model,
            (pairing.model, pairing.scenario),
            session.journal,
            session.directory.records_folder,
            session.engine.chunk,
            player.repeats,
            session.progress.task(f"{pairing.scenario} · {pairing.model}", len(rows) * player.repeats),
        )
    if not one_by_one:
        return {}
    try:
        return asyncio.run(_play_one_by_one(session, scenario, prepared, rows, one_by_one))
    except BaseExceptionGroup as group:
        raise _first(group) from group


async def _play_one_by_one(
    session: _Session, scenario: Scenario, prepared: Prepared, rows: np.ndarray, players: list[Player]
) -> dict[str, str]:
    stopped: dict[str, str] = {}

    async def one(player: Player) -> None:
        assert isinstance(player.model, Model)
        pairing, engine = player.pairing, session.engine
        policy = Policy(
            timeout=pairing.spec.timeout or engine.timeout,
            retries=engine.retries,
            breaker=engine.breaker,
            max_text_bytes=engine.max_text_bytes,
            seed=session.loaded.suite.seed,
        )
        blobs = session.directory.path / "blobs"
        exchanger = Exchanger(
            player.model,
            session.journal,
            session.limiter(player),
            session.budget,
            policy,
            blobs,
            session.most(player),
        )
        writer = RecordWriter(session.directory.records_folder, pairing.model, pairing.scenario)
        task = session.progress.task(f"{pairing.scenario} · {pairing.model}", len(rows) * player.repeats)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(player.model.close)
            await player.model.open()
            reason = await play_cases(
                scenario, prepared, rows, exchanger, player.translator, writer, player.repeats, task
            )
        drop_stale(session.directory.records_folder, pairing.model, pairing.scenario, kept=writer.written)
        if reason is not None:
            stopped[pairing.model] = reason
            session.progress.note(f"{pairing.model}: stopped: {reason}")

    async with asyncio.TaskGroup() as group:
        for player in players:
            group.create_task(one(player))
    return stopped


def _first(group: BaseExceptionGroup) -> BaseException:
    """The error of a group that a user should read: ours before others."""

    def leaves(error: BaseException) -> Iterable[BaseException]:
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from leaves(inner)
        else:
            yield error

    found = list(leaves(group))
    return next((error for error in found if isinstance(error, GenrecError)), found[0])


def _finish(session: _Session, player: Player, planned: int, stopped: str | None) -> None:
    pairing, run = player.pairing, session.directory.run
    budget = session.engine.error_budget
    coverage = cover(session.directory, pairing.model, pairing.scenario, planned, stopped, budget)
    run["coverage"].append(coverage.to_json())
    if coverage.attempted:
        played = usage(session.directory, pairing.model, pairing.scenario)
        if isinstance(player.model, Model) and hasattr(player.model, "facts"):
            played["facts"] = player.model.facts()
        run["play"].append(played)
    session.directory.save()


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
