"""Play: from a suite to records. The only part of a run, with judging, that touches the outside world."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Iterable
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
from genrec_eval.engine.registration import registered
from genrec_eval.engine.rundir import FORMAT, RunDirectory
from genrec_eval.engine.sessions import asked, begin_session, end_session
from genrec_eval.engine.summary import cover, usage
from genrec_eval.models.logged import LoggedArm
from genrec_eval.models.spec import ModelSpec
from genrec_eval.protocol.model import BatchModel, Model

if TYPE_CHECKING:
    from genrec_eval.engine.judge_ready import Bench
    from genrec_eval.suite.load import LoadedSuite


@dataclass(slots=True)
class Session:
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

    def exchanger(self, model: Model, spec: ModelSpec, name: str) -> Exchanger:
        """What puts requests to a model: the limiter is that of its endpoint; in-process ones have one each.

        Parameters
        ----------
        name
            What an in-process model is called among limiters.
        """
        most, engine = int(spec.limit or self.engine.limit), self.engine
        limiter = self.limiters.setdefault(model.endpoint or name, Limiter(most))
        limiter.most = max(limiter.most, most)  # each keeps to its own limit besides
        policy = Policy(
            timeout=spec.timeout or engine.timeout,
            retries=engine.retries,
            breaker=engine.breaker,
            max_text_bytes=engine.max_text_bytes,
            seed=self.loaded.suite.seed,
        )
        blobs = self.directory.path / "blobs"
        return Exchanger(model, self.journal, limiter, self.budget, policy, blobs, most)


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
            benches = _benches(loaded, plan)
            begun = None if fresh else directory.run.get("created")
            registration = registered(loaded, plan, stages, begun if _recorded(directory) else None)
            aside = directory.renew() if fresh else None
            if aside is not None:
                progress.note(f"the run before lies in {aside}")
            directory.run["plan"] = registration
            _play(loaded, directory, progress, plan, stages, benches, aside.name if aside else None)
    except Interrupted:
        raise KeyboardInterrupt from None


def _recorded(directory: RunDirectory) -> bool:
    """Whether an earlier session got an answer."""
    return any(directory.records_folder.glob("*")) or (directory.path / "journal.sqlite").exists()


def _benches(loaded: LoadedSuite, plan: Plan) -> dict[str, Bench]:
    if not loaded.suite.judges:
        return {}
    from genrec_eval.engine.judge_ready import make_benches

    return make_benches(loaded, plan)


def _play(
    loaded: LoadedSuite,
    directory: RunDirectory,
    progress: Progress,
    plan: Plan,
    stages: list[Stage],
    benches: dict[str, Bench],
    aside: str | None,
) -> None:
    suite, run, started = loaded.suite, directory.run, _now()
    run |= {
        "format": FORMAT,
        "name": suite.name,
        "suite": loaded.resolved,
        "folder": str(loaded.folder),
        "given": loaded.given,
        "sets": list(loaded.sets),
        "claims_at": [loaded.where(("claims", index)) for index in range(len(suite.claims))],
        "gate_at": [
            loaded.where(("gate", "rules", index))
            for index in range(len(suite.gate.rules if suite.gate else ()))
        ],
        "seed": suite.seed,
        "only": list(plan.only),
        "limit": plan.limit,
        "created": run.get("created") or started,
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
    begin_session(run, loaded, plan, started, aside)
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
        session = Session(loaded, directory, journal, budget, progress)
        while stages:  # what was played needs no memory any more
            _play_stage(session, stages.pop(0))
        if benches:
            _judge(session, plan, benches)
        else:
            run.pop("judges", None)
            run.pop("rubrics", None)
    finally:
        journal.close()
    run["limits"] = {place: limiter.describe() for place, limiter in session.limiters.items() if limiter.cuts}
    made_of = [asked(loaded.resolved), run["data"], run["models"], run["only"], run["limit"]]
    if benches:
        judges = {name: [about["identity"], about["dialect"]] for name, about in run["judges"].items()}
        made_of.append([judges, run["rubrics"]])
    run["run"] = digest(made_of)[:16]
    run |= {"state": "played", "finished": _now()}
    end_session(run, run["finished"])
    directory.save()


def _judge(session: Session, plan: Plan, benches: dict[str, Bench]) -> None:
    from genrec_eval.engine.judge import judge_all
    from genrec_eval.engine.judge_ready import described as described_judge
    from genrec_eval.judging.question import rubric_to_json

    loaded, run = session.loaded, session.directory.run
    planned = {pairing.scenario for pairing in plan.pairings}
    named = [name for name, entry in loaded.suite.scenarios.items() if entry.judging and name in planned]
    scenarios = {name: loaded.scenario(name) for name in named}
    questions = [question for scenario in scenarios.values() for question in scenario.questions]
    run["judges"] = {name: described_judge(bench) for name, bench in benches.items()}
    run["rubrics"] = {q.judging.rubric: rubric_to_json(q.rubric) for q in questions}
    session.directory.save()
    judge_all(session, scenarios, benches)


def _play_stage(session: Session, stage: Stage) -> None:
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


def _play_players(session: Session, stage: Stage) -> dict[str, str]:
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
        raise first_of(group) from group


async def _play_one_by_one(session: Session, stage: Stage, players: list[Player]) -> dict[str, str]:
    stopped: dict[str, str] = {}

    async def one(player: Player) -> None:
        assert isinstance(player.model, Model)
        pairing = player.pairing
        place = f"{pairing.model}@{pairing.scenario}"
        exchanger = session.exchanger(player.model, pairing.spec, place)
        writer = RecordWriter(session.directory.records_folder, pairing.model, pairing.scenario)
        planned = len(stage.rows) * player.repeats
        task = session.progress.task(
            f"{stage.name} · {pairing.model}", planned, stage.scenario.calls_per_case()
        )
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


def first_of(group: BaseExceptionGroup) -> BaseException:
    """The error of a group that a user should read: ours before others."""

    def leaves(error: BaseException) -> Iterable[BaseException]:
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from leaves(inner)
        else:
            yield error

    found = list(leaves(group))
    return next((error for error in found if isinstance(error, GenrecError)), found[0])


def _finish(session: Session, player: Player, planned: int, stopped: str | None) -> None:
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
