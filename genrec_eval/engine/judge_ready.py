"""Judges made ready before anything is asked: models built, with what dialects say of decoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from genrec_eval.core.errors import UsageError
from genrec_eval.core.fingerprint import canonical
from genrec_eval.core.secrets import scrub
from genrec_eval.engine.plan import Plan
from genrec_eval.judging.dialect import Dialect, load_dialect
from genrec_eval.models.spec import BuildContext, ModelSpec
from genrec_eval.protocol.model import Model
from genrec_eval.suite.schema import Judge

if TYPE_CHECKING:
    from genrec_eval.suite.load import LoadedSuite


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A judge, ready to be asked.

    Attributes
    ----------
    spec
        Of its model, with the dialect's decoding where the suite leaves it open.
    sent
        Decoding of the dialect that the model takes on; what it has no place for is left to the model.
    """

    name: str
    judge: Judge
    spec: ModelSpec
    model: Model
    dialect: Dialect
    sent: dict[str, Any]


def make_benches(loaded: LoadedSuite, plan: Plan) -> dict[str, Bench]:
    """Build the judges that the planned scenarios name.

    Raises
    ------
    UsageError
        When a judge cannot be built or does not answer chat.
    """
    planned = {pairing.scenario for pairing in plan.pairings}
    wanted = dict.fromkeys(
        judge
        for name, entry in loaded.suite.scenarios.items()
        if name in planned
        for judging in entry.judging
        for judge in judging.panel
    )
    return {name: _bench(loaded, name) for name in wanted}


def _bench(loaded: LoadedSuite, name: str) -> Bench:
    judge = loaded.suite.judges[name]
    suite = loaded.suite
    dialect = load_dialect(judge.dialect, loaded.folder)
    spec, sent = decoded(judge.model, dialect.decoding)
    context = BuildContext(
        name=name,
        folder=loaded.folder,
        training=None,
        seed=suite.seed,
        prices=None if suite.prices is None else loaded.folder / suite.prices,
    )
    try:
        model = spec.build(context)
        if not isinstance(model, Model) or "chat" not in model.kinds:
            kinds = ", ".join(sorted(getattr(model, "kinds", ()))) or "nothing"
            raise UsageError(f"it must answer chat, and its model answers {kinds}")
        try:
            canonical(model.identity())
        except TypeError as error:
            raise UsageError(f"its identity() is not plain data that could be a cache key: {error}") from None
    except UsageError as error:
        place = loaded.where(("judges", name, "model"))
        said = str(error).removeprefix(f"model '{name}': ")
        raise UsageError(f"{place}: judge '{name}': {said}") from error
    return Bench(name=name, judge=judge, spec=spec, model=model, dialect=dialect, sent=sent)


def decoded(spec: ModelSpec, decoding: dict[str, Any]) -> tuple[ModelSpec, dict[str, Any]]:
    """The spec with a dialect's decoding where it leaves it open, and what was taken on.

    What the suite says of decoding wins over the dialect.
    """
    own = getattr(spec, "decoding", None)
    if own is None:
        return spec, {}
    said = {*own.model_fields_set, *own.extra}
    taken = {name: value for name, value in decoding.items() if name not in said}
    if "max_completion_tokens" in said:  # the newer name for the same limit
        taken.pop("max_tokens", None)
    merged = type(own).model_validate({**own.model_dump(exclude_unset=True), **taken})
    return spec.model_copy(update={"decoding": merged}), taken


def described(bench: Bench) -> dict[str, Any]:
    """What ``run.json`` keeps of a judge."""
    about: dict[str, Any] = {
        "adapter": getattr(bench.spec, "adapter", None),
        "description": bench.judge.description,
        "identity": bench.model.identity(),
        "planted": getattr(bench.model, "planted", None),
        "policy": bench.judge.signature,
        "dialect": {
            "name": bench.dialect.name,
            "version": bench.dialect.version,
            "digest": bench.dialect.digest,
            "scale": None if bench.dialect.scale is None else list(bench.dialect.scale),
            "decoding": bench.dialect.decoding,
            "decoding_sent": bench.sent,
        },
        "played": [],
    }
    return dict(orjson.loads(scrub(orjson.dumps(about).decode())))
