"""The plan: which model plays which scenario, and what is left out and why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.fingerprint import canonical
from genrec_eval.models.logged import LoggedArm, LoggedSpec
from genrec_eval.models.spec import BuildContext, ModelSpec
from genrec_eval.protocol.model import BatchModel, Model, Translator
from genrec_eval.protocol.results import Coverage
from genrec_eval.scenarios.base import Prepared, Scenario

LEFT_OUT = "left out by --only"
"""Why a pairing was not played although its suite has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """One model in one scenario."""

    model: str
    scenario: str
    spec: ModelSpec


@dataclass(slots=True, kw_only=True)
class Player:
    """A model built for one scenario, ready to answer."""

    pairing: Pairing
    model: Model | BatchModel | LoggedArm
    translator: Translator | None = None
    repeats: int = 1


@dataclass(slots=True, kw_only=True)
class Plan:
    """Pairings to play, and those that are not with the reason."""

    pairings: list[Pairing] = field(default_factory=list)
    left_out: list[Coverage] = field(default_factory=list)
    only: tuple[str, ...] = ()
    limit: int | None = None

    def of(self, scenario: str) -> list[Pairing]:
        """Pairings of one scenario."""
        return [pairing for pairing in self.pairings if pairing.scenario == scenario]


def make_plan(suite: Any, only: tuple[str, ...] = (), limit: int | None = None) -> Plan:
    """Pair models with scenarios.

    Parameters
    ----------
    suite
        The validated suite.
    only
        Patterns of a model, a scenario or ``model/scenario``; everything when empty.
    limit
        Most cases per scenario; None for all.

    Raises
    ------
    UsageError
        When a pattern matches nothing.
    """
    plan = Plan(only=only, limit=limit)
    used: set[str] = set()
    for scenario, described in suite.scenarios.items():
        for model, spec in suite.models.items():
            reason = None
            if described.models is not None and model not in described.models:
                reason = f"scenario '{scenario}' does not list it"
            elif spec.scenarios is not None and scenario not in spec.scenarios:
                reason = f"model '{model}' is declared for other scenarios"
            matching = {p for p in only if _matches(p, model, scenario)}
            used |= matching
            if reason is None and only and not matching:
                reason = LEFT_OUT
            if reason is None:
                plan.pairings.append(Pairing(model=model, scenario=scenario, spec=spec))
            else:
                plan.left_out.append(Coverage(model=model, scenario=scenario, state="not-run", reason=reason))
    for pattern in only:
        if pattern not in used:
            known = [*suite.models, *suite.scenarios]
            raise UsageError(
                f"--only {pattern} matches no model or scenario{did_you_mean(pattern, known)}"
                f" (known: {', '.join(known)})"
            )
    return plan


def _matches(pattern: str, model: str, scenario: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in (model, scenario, f"{model}/{scenario}"))


def make_player(
    pairing: Pairing, scenario: Scenario, prepared: Prepared, folder: Path, suite: Any
) -> Player | Coverage:
    """Build the model of a pairing; a Coverage row instead when it cannot answer the scenario."""
    if scenario.kind == "log" and not isinstance(pairing.spec, LoggedSpec):
        return Coverage(
            model=pairing.model,
            scenario=pairing.scenario,
            state="not-run",
            reason="the scenario asks nothing: its models are the arms of a log (adapter: logged)",
        )
    training = prepared.training
    if training is not None and pairing.spec.peeks:
        training = replace(training, future=prepared.future)
    context = BuildContext(
        name=pairing.model,
        folder=folder,
        training=training,
        seed=suite.seed,
        prices=None if suite.prices is None else folder / suite.prices,
    )
    model = pairing.spec.build(context)
    try:
        canonical(model.identity())
    except TypeError as error:
        raise UsageError(f"its identity() is not plain data that could be a cache key: {error}") from None
    recommender = getattr(pairing.spec, "recommender", None)
    translator: Translator | None = None if recommender is None else recommender.build(context)
    kinds = set(model.kinds)
    if translator is not None and translator.needs in kinds:
        kinds.add(translator.gives)
    if scenario.kind not in kinds:
        given = ", ".join(sorted(kinds))
        wrapped = "chat" in model.kinds and hasattr(pairing.spec, "recommender")
        hint = "; give it a recommender: block to rank through chat" if wrapped else ""
        if "kinds" in type(pairing.spec).model_fields and not pairing.spec.model_fields_set & {"kinds"}:
            hint = f"; if it does answer that, say so with kinds: [{scenario.kind}]"
        return Coverage(
            model=pairing.model,
            scenario=pairing.scenario,
            state="not-run",
            reason=f"the scenario asks for '{scenario.kind}', the model answers {given}{hint}",
        )
    if translator is not None and scenario.kind != translator.gives:
        translator = None
    if isinstance(model, LoggedArm):
        model.rows(prepared.cases)  # it must be an arm of the log
        return Player(pairing=pairing, model=model)
    repeats = pairing.spec.repeats or suite.scenarios[pairing.scenario].repeats or suite.engine.repeats
    return Player(pairing=pairing, model=model, translator=translator, repeats=repeats)
