"""Suites as tests of pytest: nothing happens, and nothing is imported, unless a test asks for it.

A test with ``@pytest.mark.genrec_eval("suite.yaml")`` plays that suite first, and fails when a claim of it
does; the fixture ``genrec_run`` is the run, and :func:`assert_no_regression` holds it against a baseline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from genrec_eval.api import Run

_MARKER = (
    "genrec_eval(suite, *, sets=(), only=(), limit=None, out=None, check=True): play a suite (a file beside "
    "the test, or the name of a shipped one) before the test; with check, a claim that fails, is open or "
    "could not be run fails the test"
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every marked test its run, also one that does not name the fixture."""
    for item in items:
        names = getattr(item, "fixturenames", None)
        if names is not None and "genrec_run" not in names and item.get_closest_marker("genrec_eval"):
            names.append("genrec_run")


@pytest.fixture
def genrec_run(request: pytest.FixtureRequest) -> Run:
    """The run of the suite that the marker names; played once per session, and resumed from an earlier one.

    The run directory is ``runs/<name of the test file>-<name of the suite>`` under the root of the tests, so
    that what was answered is not asked, or paid for, again.
    """
    marker = request.node.get_closest_marker("genrec_eval")
    if marker is None or not marker.args:
        pytest.fail('name the suite: @pytest.mark.genrec_eval("suite.yaml")', pytrace=False)
    suite, options = str(marker.args[0]), dict(marker.kwargs)
    check = options.pop("check", True)
    unknown = sorted(set(options) - {"sets", "only", "limit", "out"})
    if unknown:
        pytest.fail(f"the marker genrec_eval takes no '{unknown[0]}'; it is {_MARKER}", pytrace=False)
    run = _played(request, suite, options)
    if check and run.exit_code:
        pytest.fail(f"{run!r}", pytrace=False)
    return run


def _played(request: pytest.FixtureRequest, suite: str, options: dict[str, Any]) -> Run:
    from genrec_eval import api
    from genrec_eval.core.errors import GenrecError

    held: dict[str, Run] = request.config.stash.setdefault(_RUNS, {})
    beside = Path(request.path).parent / suite
    found = beside if beside.is_file() else Path(suite)
    key = f"{found} {sorted(options.items(), key=str)}"
    if key not in held:
        out = options.pop("out", None)
        if out is None:
            worker = getattr(request.config, "workerinput", {}).get("workerid", "")
            name = "-".join(filter(None, [request.path.stem, Path(suite).stem, worker]))
            out = request.config.rootpath / "runs" / name
        fault = None
        try:
            held[key] = api.run(str(found) if beside.is_file() else suite, out=out, quiet=True, **options)
        except GenrecError as error:
            fault = str(error)
        if fault is not None:  # told outside, else pytest tells of two errors
            pytest.fail(fault, pytrace=False)
    return held[key]


_RUNS: pytest.StashKey[dict[str, Any]] = pytest.StashKey()


def assert_no_regression(
    run: Run | str | Path,
    baseline: str | Path,
    *,
    margins: Mapping[str, float] | None = None,
    models: Sequence[str] | None = None,
    inconclusive: Literal["fail", "warn", "pass"] | None = None,
) -> None:
    """Fail the test when a run is worse than its baseline, or when that cannot be told.

    Parameters
    ----------
    run
        A run, or its directory.
    baseline
        A file of ``genrec-eval baseline save``, or a run directory.
    margins
        Metric → the loss that is accepted, for every scenario that measures it; the rules of the suite's
        ``gate:`` by default.
    models
        Only these models, with ``margins``.
    inconclusive
        ``"fail"``, ``"warn"`` or ``"pass"``; as the gate says by default.

    Raises
    ------
    AssertionError
        With the verdict on every rule.
    """
    __tracebackhide__ = True
    import io

    from rich.console import Console

    from genrec_eval import api
    from genrec_eval.reporting.gate.terminal import print_gate

    done = api.load_run(run) if isinstance(run, str | Path) else run
    suite = None
    if margins is not None:
        gate = {"rules": _rules(done, margins, models)}
        suite = {**done.directory.run["suite"], "gate": gate}
    result = api.gate(done, baseline, suite=suite, inconclusive=inconclusive)
    if result.exit_code:
        text = io.StringIO()
        print_gate(result, Console(file=text, width=110))
        raise AssertionError(text.getvalue())


def _rules(run: Run, margins: Mapping[str, float], models: Sequence[str] | None) -> list[dict[str, Any]]:
    from genrec_eval.core.errors import UsageError, did_you_mean

    measured = dict.fromkeys((row.scenario, row.metric, row.model) for row in run.results.estimates)
    for metric in margins:
        if all(metric != of for _, of, _ in measured):
            known = sorted({of for _, of, _ in measured})
            raise UsageError(f"the run has no metric '{metric}'{did_you_mean(metric, known)}")
    return [
        {"scenario": scenario, "metric": metric, "model": model, "not_worse_by": margins[metric]}
        for scenario, metric, model in measured
        if metric in margins and (models is None or model in models)
    ]
