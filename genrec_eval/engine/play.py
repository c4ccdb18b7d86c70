"""Play: from a suite to records. The only part of a run, with judging, that touches the outside world."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from genrec_eval.core.errors import GenrecError
from genrec_eval.core.fingerprint import digest
from genrec_eval.engine.budget import Budget
from genrec_eval.engine.environment import git_state, machine, versions
from genrec_eval.engine.exchange import Exchanger, Policy
from genrec_eval.engine.journal import Journal
from genrec_eval.engine.limits import Limiter
from genrec_eval.engine.plan import Plan, Player, make_plan
from genrec_eval.engine.play_async import play_cases
from genrec_eval.engine.play_batch import play_batches
from genrec_eval.engine.play_logged import play_logged, served
from genrec_eval.engine.progress import Interrupted, Progress
from genrec_eval.engine.ready import Stage, described, make_ready
from genrec_eval.engine.records import RecordWriter, drop_stale
from genrec_eval.engine.rundir import FORMAT, RunDirectory
from genrec_eval.engine.summary import cover, usage
from genrec_eval.models.logged import LoggedArm
from genrec_eval.protocol.model import BatchModel, Model

if TYPE_CHECKING:
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


def play(
    loaded: LoadedSuite,
    directory: RunDirectory,
    progress: Progress,
    only: tuple[str, ...] = (),
    limit: int | None = None,
    fresh: bool = False,
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
    fresh
        Set what the directory holds aside and begin anew.
    """
    plan = make_plan(loaded.suite, only, limit)
    try:
        with progress:
            stages = make_ready(loaded, plan, progress)
            if fresh and (aside := directory.renew()):
                progress.note(f"the run before lies in {aside}")
            _play(loaded, directory, progress, plan, stages)
    except Interrupted:
        raise KeyboardInterrupt from None


def _play(
    loaded: LoadedSuite, directory: RunDirectory, progress: Progress, plan: Plan, stages: list[Stage]
) -> None:
    suite, run = loaded.suite, directory.run
    run |= {
        "format": FORMAT,
        "name": suite.name,
        "suite": loaded.resolved,
        "folder": str(loaded.folder),
        "claims_at": [loaded.where(("claims", index)) for index in range(len(suite.claims))],
        "seed": suite.seed,
        "only": list(plan.only),
        "limit": plan.limit,
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
        while stages:  # what was played needs no memory any more
            _play_stage(session, stages.pop(0))
    finally:
        journal.close()
    run["limits"] = {place: limiter.describe() for place, limiter in session.limiters.items() if limiter.cuts}
    run["run"] = digest([_asked(loaded.resolved), run["data"], run["models"], run["only"], run["limit"]])[:16]
    run |= {"state": "played", "finished": _now()}
    directory.save()


def _asked(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a suite that numbers and verdicts depend on: limits and retries change neither."""
    asked = {name: value for name, value in resolved.items() if name != "engine"}
    return {**asked, "error_budget": resolved["engine"]["error_budget"]}


def _play_stage(session: _Session, stage: Stage) -> None:
    run, name = session.directory.run, stage.name
    session.directory.store_cases(name, stage.prepared.cases.take(stage.rows), stage.prepared.context)
    run["scenarios"][name] = {
        "scenario": session.loaded.suite.scenarios[name].scenario,
        "cases": len(stage.rows),
        "facts": dict(stage.prepared.facts),
    }
    run["data"] |= stage.data
    for coverage in stage.absent:
        run["coverage"].append(coverage.to_json())
        drop_stale(session.directory.records_folder, coverage.model, name, kept=0)
    for player in stage.players:
        about = run["models"].setdefault(player.pairing.model, {})[name] = described(player)
        if "remark" in about:
            session.progress.note(f"{player.pairing.model}: {about['remark']}")
    session.directory.save()
    stopped = _play_players(session, stage)
    for player in stage.players:
        _finish(session, player, _planned(stage, player), stopped.get(player.pairing.model))


def _planned(stage: Stage, player: Player) -> int:
    if isinstance(player.model, LoggedArm):
        return len(served(stage.prepared.cases, stage.rows, player.model))
    return len(stage.rows) * player.repeats


def _play_players(session: _Session, stage: Stage) -> dict[str, str]:
    """Play all models; return why each stopped early, where one did."""
    one_by_one = []
    for player in stage.players:
        if isinstance(player.model, LoggedArm):
            cases, pairing = served(stage.prepared.cases, stage.rows, player.model), player.pairing
            task = session.progress.task(f"{stage.name} · {pairing.model}", len(cases))
            play_logged(cases, (pairing.model, pairing.scenario), session.directory.records_folder, task)
            continue
        if not isinstance(player.model, BatchModel):
            one_by_one.append(player)
            continue
        pairing = player.pairing
        play_batches(
            stage.scenario,
            stage.prepared,
            stage.rows,
            player.model,
            (pairing.model, pairing.scenario),
            session.journal,
            session.directory.records_folder,
            session.engine.chunk,
            player.repeats,
            session.progress.task(f"{stage.name} · {pairing.model}", len(stage.rows) * player.repeats),
        )
    if not one_by_one:
        return {}
    try:
        return asyncio.run(_play_one_by_one(session, stage, one_by_one))
    except BaseExceptionGroup as group:
        raise _first(group) from group


async def _play_one_by_one(session: _Session, stage: Stage, players: list[Player]) -> dict[str, str]:
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
        planned = len(stage.rows) * player.repeats
        task = session.progress.task(f"{stage.name} · {pairing.model}", planned)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(player.model.close)
            await player.model.open()
            reason = await play_cases(
                stage.scenario,
                stage.prepared,
                stage.rows,
                exchanger,
                player.translator,
                writer,
                player.repeats,
                task,
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
