"""From paths to the rules of a gate, the run and the baseline that it is held against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from genrec_eval.audit.gating.baseline import BaselineSource
from genrec_eval.audit.sources.base import Source
from genrec_eval.audit.sources.run import RunSource
from genrec_eval.core.errors import UsageError
from genrec_eval.core.faults import sentence
from genrec_eval.core.registry import relative_to
from genrec_eval.core.yaml import Node
from genrec_eval.engine.rundir import RunDirectory
from genrec_eval.suite.gate import AGAINST_BASELINE, Gate

GATE_FILE = "gate.json"
"""In the run directory: what the gate last said of it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A gate and where it was written.

    Attributes
    ----------
    where
        ``file:line`` of each rule.
    folder
        What a path of the suite is relative to.
    """

    gate: Gate
    where: Sequence[str | None]
    folder: Path
    level: float


def rules_of(directory: RunDirectory, suite: str | Path | Mapping[str, Any] | None = None) -> Rules:
    """The gate of a suite, and by default that of the suite that was run.

    Raises
    ------
    UsageError
        When there is none, or it is not as it should be.
    """
    if suite is not None:
        from genrec_eval.suite.load import check_metrics, resolve

        loaded = resolve(suite)
        check_metrics(loaded)
        if loaded.suite.gate is None:
            raise UsageError(f"{loaded.source} has no gate; add rules under gate:")
        places = [loaded.where(("gate", "rules", index)) for index in range(len(loaded.suite.gate.rules))]
        return Rules(loaded.suite.gate, places, loaded.folder, loaded.suite.level)
    run = directory.run
    resolved = run.get("suite") or {}
    if not resolved.get("gate"):
        raise UsageError(
            f"the suite '{run.get('name')}' that {directory.path} was played from has no gate: add rules"
            " under gate: in the suite, and name it with --suite"
        )
    try:
        rules = Gate.model_validate(resolved["gate"])
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(map(str, ("gate", *fault["loc"])))
        said = sentence(fault, Node(fault["input"], place))
        raise UsageError(f"{directory.path / 'run.json'}: suite.{place}: {said}") from None
    return Rules(
        rules, run.get("gate_at") or (), Path(run.get("folder", ".")), float(resolved.get("level", 0.95))
    )


def needs_baseline(rules: Gate) -> bool:
    """Whether any rule compares."""
    return any(rule.kind in AGAINST_BASELINE for rule in rules.rules)


@contextmanager
def opened(
    directory: RunDirectory, rules: Rules, baseline: str | Path | None = None
) -> Iterator[tuple[RunSource, Source | None]]:
    """The run and what it is held against: ``baseline``, else the one that the gate names.

    Raises
    ------
    UsageError
        When one of them cannot be read.
    """
    path = None
    if baseline is not None:
        path = Path(baseline)
    elif rules.gate.baseline is not None and needs_baseline(rules.gate):
        path = rules.folder / rules.gate.baseline
    with ExitStack() as stack:
        stack.enter_context(relative_to(rules.folder))
        run = stack.enter_context(RunSource(directory))
        yield run, None if path is None else _baseline(path, stack)


def _baseline(path: Path, stack: ExitStack) -> Source:
    if path.is_dir():
        return stack.enter_context(RunSource.open(path))
    if not path.exists():
        raise UsageError(
            f"there is no baseline {path}; make one of a run that is good as it is: genrec-eval baseline save"
            f" RUN -o {path}"
        )
    return BaselineSource.open(path)
