"""Sessions: each time that a run directory was played into, with what was asked for, for its report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from genrec_eval.core.fingerprint import digest

if TYPE_CHECKING:
    from genrec_eval.engine.plan import Plan
    from genrec_eval.suite.load import LoadedSuite

MOST_SESSIONS = 50
"""Sessions that are kept: the first and the latest ones."""

_NOT_ASKED = frozenset({"engine", "gate", "audit"})


def asked(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a suite that numbers and verdicts depend on: limits and retries change neither."""
    kept = {name: value for name, value in resolved.items() if name not in _NOT_ASKED}
    return {**kept, "error_budget": resolved["engine"]["error_budget"]}


def begin_session(
    run: dict[str, Any], loaded: LoadedSuite, plan: Plan, started: str, aside: str | None
) -> None:
    """Add a session to the content of ``run.json``; one that was interrupted keeps no end.

    Parameters
    ----------
    aside
        Name of the folder that an earlier run was moved to, of ``--fresh``.
    """
    session = {
        "started": started,
        "ended": None,
        "suite": digest(asked(loaded.resolved))[:16],
        "claims": digest(loaded.resolved["claims"])[:16],
        "seed": loaded.suite.seed,
        "plan": (run.get("plan") or {}).get("registered"),
        "only": list(plan.only),
        "limit": plan.limit,
        "sets": list(loaded.sets),
        "git": run["git"],
        "version": run["versions"].get("genrec-eval"),
        "aside": aside,
    }
    before = run.get("sessions") or []
    run["sessions"] = [*before[:1], *before[1:][-(MOST_SESSIONS - 2) :], session]


def end_session(run: dict[str, Any], ended: str) -> None:
    """Say when the current session ended."""
    run["sessions"][-1]["ended"] = ended
