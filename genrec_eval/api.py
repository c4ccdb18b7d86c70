"""genrec-eval from Python and notebooks: :func:`run` and :func:`load_run`."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from genrec_eval.audit.results import ESTIMATES_FILE, Results, read_estimates
from genrec_eval.core.errors import Exit, UsageError, did_you_mean
from genrec_eval.core.registry import relative_to
from genrec_eval.engine.progress import Progress
from genrec_eval.engine.rundir import REPORT_FILES, RunDirectory

if TYPE_CHECKING:
    import pandas as pd
    from fairlearn.metrics import MetricFrame
    from rich.console import Console

    from genrec_eval.audit.comparing.types import Comparison
    from genrec_eval.audit.gating.types import GateResult
    from genrec_eval.suite.load import LoadedSuite


class Run:
    """A finished run: its estimates, verdicts and tables as data frames.

    Parameters
    ----------
    directory
        The run directory.

    Examples
    --------
    >>> import genrec_eval
    >>> run = genrec_eval.run("quickstart", quiet=True)  # doctest: +SKIP
    >>> run.estimates.query("metric == 'ndcg@10' and slice == 'all'")  # doctest: +SKIP
    """

    def __init__(self, directory: RunDirectory) -> None:
        self.directory = directory
        self.path = directory.path

    @cached_property
    def results(self) -> Results:
        """What ``estimates.json`` holds, typed."""
        if not (self.path / ESTIMATES_FILE).is_file():
            raise UsageError(_unfinished(self.directory))
        return read_estimates(self.path / ESTIMATES_FILE)

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """One row per model, scenario, metric, slice and comparison."""
        return _frame(self.results.estimates)

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """One row per claim."""
        return _frame(self.results.verdicts)

    @cached_property
    def coverage(self) -> pd.DataFrame:
        """One row per model and scenario: what was run, what was not and why."""
        return _frame(self.results.coverage)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row per model, scenario, metric and unit."""
        import pyarrow.parquet as pq

        path = self.path / "scores.parquet"
        if not path.is_file():
            raise UsageError(_unfinished(self.directory))
        return pq.read_table(path).to_pandas()

    def group_frame(
        self,
        scenario: str,
        metric: str,
        by: str | Sequence[str],
        *,
        model: str | None = None,
        control: str | Sequence[str] = (),
    ) -> MetricFrame:
        """The stored scores of a metric by group, as fairlearn's ``MetricFrame``, with counts beside.

        Its ``by_group``, ``difference()`` and ``ratio()`` have no interval and no least size of a group: the
        estimates of ``group_gap`` do. Needs the extra ``fairness``.

        Parameters
        ----------
        metric
            A mean over users, as in ``"ndcg@10"``, that the scenario measured.
        by, control
            Groups of the scenario: what is compared, and inside what (``control_features``). Users of an
            unknown group are left out.
        model
            Whose scores; may be left out where one model was played.

        Raises
        ------
        UsageError
            When the run has no such scores or groups, or fairlearn is not installed.
        """
        from genrec_eval.audit.group_frame import group_frame

        named = [(words,) if isinstance(words, str) else tuple(words) for words in (by, control)]
        return group_frame(self.directory, scenario, metric, named[0], model=model, control=named[1])

    def records(self, model: str, scenario: str) -> pd.DataFrame:
        """Exchanges of one model in one scenario.

        Raises
        ------
        UsageError
            When the run has none.
        """
        import pyarrow as pa

        from genrec_eval.protocol.tables import RECORDS

        played = self.directory.played()
        if (model, scenario) not in played:
            known = [f"{of} in {where}" for of, where in played]
            near = did_you_mean(f"{model} in {scenario}", known)
            raise UsageError(
                f"{self.path} has no records of '{model}' in '{scenario}'{near}"
                f" (it has: {', '.join(known) or 'none'})"
            )
        batches = list(self.directory.records(model, scenario))
        return pa.Table.from_batches(batches, schema=RECORDS).to_pandas()

    @property
    def judgements(self) -> pd.DataFrame:
        """One row per verdict of a judge, before any policy; empty when nothing was judged."""
        import pyarrow.parquet as pq

        from genrec_eval.engine.rundir import JUDGEMENTS_FILE
        from genrec_eval.protocol.tables import JUDGEMENTS

        path = self.path / JUDGEMENTS_FILE
        return (pq.read_table(path) if path.is_file() else JUDGEMENTS.empty_table()).to_pandas()

    @property
    def report(self) -> Path:
        """Where the HTML report lies, or would lie."""
        return self.path / REPORT_FILES[0]

    @property
    def exit_code(self) -> Exit:
        """What ``genrec-eval run`` ends with: 0 pass, 1 claim failed, 3 incomplete, 4 inconclusive."""
        from genrec_eval.audit.audit import outcome

        return outcome(self.directory, self.results)

    def __repr__(self) -> str:
        import io

        from rich.console import Console

        from genrec_eval.reporting.terminal import print_results

        if not (self.path / ESTIMATES_FILE).is_file():
            return f"Run({str(self.path)!r}): {_unfinished(self.directory)}"
        text = io.StringIO()
        print_results(self.parsed, Console(file=text, width=100), None, self.about)
        return f"Run({str(self.path)!r})\n{text.getvalue()}"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"

    @property
    def about(self) -> dict[str, Any]:
        """Content of ``run.json``: suite, models, data and how it was played."""
        return dict(self.directory.run)

    @property
    def parsed(self) -> dict[str, Any]:
        """``estimates.json`` as plain dicts, for printers."""
        import orjson

        return dict(orjson.loads((self.path / ESTIMATES_FILE).read_bytes()))


def run(
    suite: str | Path | Mapping[str, Any],
    *,
    models: Mapping[str, Callable[..., Any]] | None = None,
    out: str | Path | None = None,
    only: str | Sequence[str] = (),
    limit: int | None = None,
    sets: str | Sequence[str] = (),
    fresh: bool = False,
    quiet: bool = False,
    report: bool = True,
) -> Run:
    """Play a suite, score it and write the report.

    Parameters
    ----------
    suite
        Path of a suite file, name of a shipped suite, or the suite as a dict.
    models
        Functions to play as models beside those of the suite, by name.
    out
        Run directory; ``runs/<name of the suite>`` by default. An interrupted run goes on there.
    only
        Models, scenarios or ``model/scenario`` to play; patterns with ``*`` are allowed.
    limit
        Most cases per scenario, a seeded sample.
    sets
        ``key.path=value`` overrides.
    fresh
        Set an existing run directory aside and begin anew.
    quiet
        Show no progress.
    report
        Write the HTML report, which takes a second or more; ``genrec-eval report RUN`` writes it later.

    Returns
    -------
    Run

    Raises
    ------
    UsageError
        When suite, data or models are not as they should be.
    IncompleteError
        When the run could not be finished; running again resumes it.
    """
    from rich.console import Console

    if limit is not None and limit < 1:
        raise UsageError(f"limit is a number of cases from 1 on, not {limit}")
    # One pattern or one override, not its letters.
    only, sets = ((words,) if isinstance(words, str) else words for words in (only, sets))
    loaded = load_suite(suite, sets, models)
    console = None if quiet else Console(stderr=True)
    return play_and_score(loaded, out, only=only, limit=limit, fresh=fresh, report=report, console=console)


def load_run(path: str | Path) -> Run:
    """Open a run directory.

    Raises
    ------
    UsageError
        When it is not one, or was written by a newer version.
    """
    return Run(RunDirectory.open(Path(path)))


def compare(
    reference: str | Path | Run,
    candidate: str | Path | Run,
    *,
    models: Mapping[str, str] | None = None,
    margins: Mapping[str, float] | None = None,
    metrics: str | Sequence[str] | None = None,
    scenarios: str | Sequence[str] | None = None,
) -> Comparison:
    """Hold a run against an earlier one, unit by unit: ``compare(before, after).frame``.

    Parameters
    ----------
    reference, candidate
        Runs, or their directories: before and after.
    models
        Model of the candidate → model of the reference, where their names differ.
    margins
        Metric → greatest difference that does not matter: within it two models are equivalent.
    metrics, scenarios
        What to compare; everything that both have by default. Fewer metrics mean fewer tests to adjust for.

    Raises
    ------
    UsageError
        When a run is unfinished or damaged, or both have nothing in common.
    """
    from genrec_eval.audit.comparing.compare import compare as compare_sources
    from genrec_eval.audit.sources.run import RunSource

    def opened(run: str | Path | Run) -> RunSource:
        return RunSource(run.directory) if isinstance(run, Run) else RunSource.open(Path(run))

    only = [(words,) if isinstance(words, str) else words for words in (metrics, scenarios)]
    with opened(reference) as before, opened(candidate) as after:
        return compare_sources(
            after, before, models=models, margins=margins, metrics=only[0], scenarios=only[1]
        )


def gate(
    run: str | Path | Run,
    baseline: str | Path | Run | None = None,
    *,
    suite: str | Path | Mapping[str, Any] | None = None,
    inconclusive: Literal["fail", "warn", "pass"] | None = None,
) -> GateResult:
    """Hold a run to the gate of its suite: ``gate(run).exit_code``.

    Parameters
    ----------
    run
        The candidate, or its directory.
    baseline
        Baseline file or run that rules compare with; what the gate names by default.
    suite
        Where the rules are taken from; the suite that was run by default.
    inconclusive
        What undecided rules do; what the gate says by default.

    Raises
    ------
    UsageError
        When there is no gate, a rule names what is not there, or the baseline asked, scored or judged
        otherwise.
    """
    from genrec_eval.audit.gating.decide import gate as evaluate
    from genrec_eval.audit.gating.opening import opened, rules_of

    directory = run.directory if isinstance(run, Run) else RunDirectory.open(Path(run))
    rules = rules_of(directory, suite)
    asked = rules.gate
    if inconclusive is not None:
        asked = asked.model_copy(update={"inconclusive": inconclusive})
    base = baseline.path if isinstance(baseline, Run) else baseline
    with opened(directory, rules, base) as (source, reference):
        return evaluate(source, asked, reference, level=rules.level, where=rules.where)


def load_suite(
    suite: str | Path | Mapping[str, Any],
    sets: Sequence[str] = (),
    models: Mapping[str, Callable[..., Any]] | None = None,
    models_of: str | Path | None = None,
) -> LoadedSuite:
    """Read and validate a suite, with live functions as further models, and check what it needs."""
    from genrec_eval.models.live import LiveSpec
    from genrec_eval.suite.load import check_metrics, check_prompts, missing_environment, resolve

    if models is not None and not isinstance(models, Mapping):
        raise UsageError('models is a dict of names and functions: models={"mine": recommend}')
    live = {name: LiveSpec(target=model) for name, model in (models or {}).items()}
    loaded = resolve(suite, sets, live, models_of)
    with relative_to(loaded.folder):
        check_metrics(loaded)
        check_prompts(loaded)
    missing = missing_environment(loaded)
    if missing:
        raise UsageError("\n".join(missing))
    return loaded


def play_and_score(
    loaded: LoadedSuite,
    out: str | Path | None = None,
    *,
    only: Sequence[str] = (),
    limit: int | None = None,
    fresh: bool = False,
    report: bool = True,
    console: Console | None = None,
) -> Run:
    """Play a validated suite into its directory, then score it; see :func:`run`."""
    from genrec_eval.audit.chain.closed import refuse_playing
    from genrec_eval.engine.play import play

    path = Path(out) if out is not None else Path("runs") / loaded.suite.name
    directory = RunDirectory.create(path, fresh)
    with directory.locked(), relative_to(loaded.folder):
        if not fresh:
            refuse_playing(directory.path)
        progress = Progress(console)
        _outside_a_loop(lambda: play(loaded, directory, progress, tuple(only), limit, fresh), progress)
        return _score(directory, report, console)


def score(path: str | Path, *, report: bool = True, console: Console | None = None) -> Run:
    """Redo scores, estimates, verdicts and report of a run from its stored tables."""
    directory = RunDirectory.open(Path(path))
    with directory.locked(), relative_to(Path(directory.run.get("folder", "."))):
        return _score(directory, report, console)


def _score(directory: RunDirectory, report: bool, console: Console | None) -> Run:
    from contextlib import nullcontext

    from genrec_eval.audit.audit import audit_run
    from genrec_eval.audit.chain.build import write_chain
    from genrec_eval.audit.chain.closed import refuse_scoring
    from genrec_eval.audit.chain.evidence import EVIDENCE_FILE
    from genrec_eval.reporting.html import write_report

    if directory.run.get("state") != "played":
        raise UsageError(_unfinished(directory))
    with console.status("scoring") if console is not None else nullcontext():
        refuse_scoring(directory.path)
        for name in (EVIDENCE_FILE, *REPORT_FILES, "gate.json"):  # never older than the estimates
            (directory.path / name).unlink(missing_ok=True)
        audit_run(directory)
        write_chain(directory)
        if report:
            write_report(directory.path)  # which seals it
    return Run(directory)


def _unfinished(directory: RunDirectory) -> str:
    if directory.run.get("state") == "played":
        return f"{directory.path} was played but not scored; run: genrec-eval score {directory.path}"
    return f"{directory.path} was interrupted while it was played; run the suite again to finish it"


def _outside_a_loop(work: Callable[[], None], progress: Progress) -> None:
    """Do ``work``, which starts an event loop, also from a notebook, where one is running."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor
    from contextvars import copy_context

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        work()
        return
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(copy_context().run, work)
        try:
            future.result()
        except KeyboardInterrupt:
            progress.interrupted = True  # else leaving the pool would wait for the whole run
            raise


def _frame(rows: Sequence[Any]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame([row.to_json() for row in rows])
