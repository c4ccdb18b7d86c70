"""A run as MLflow runs: one for the suite, and inside it one for each model."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from genrec_eval.core.errors import UsageError
from genrec_eval.reporting.export.tracked import Tracked, TrackedRun, safe_names, tracked

_BATCH = 900
"""MLflow takes 1,000 metrics and 100 parameters or tags at a time."""
_FEW = 90
_LONG = 500


def log_mlflow(directory: Path, *, tracking_uri: str | None = None, experiment: str = "genrec-eval") -> str:
    """Log a scored run and return the id of its MLflow run.

    Parameters
    ----------
    tracking_uri
        Address of the tracking server; ``MLFLOW_TRACKING_URI`` by default.
    experiment
        Made when it is not there.

    Raises
    ------
    UsageError
        When MLflow is not installed, or does not take the run.
    """
    try:
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
    except ImportError as error:
        raise UsageError(
            f"MLflow is not installed ({error}); install it with: pip install 'genrec-eval[mlflow]'"
        ) from None
    told = tracked(directory)
    try:
        client = MlflowClient(tracking_uri=tracking_uri)
        known = client.get_experiment_by_name(experiment)
        place = known.experiment_id if known is not None else client.create_experiment(experiment)
        tags = {"genrec_eval.run": told.run, "genrec_eval.suite": told.suite}
        whole = client.create_run(place, run_name=told.suite, tags=tags).info.run_id
        for file in told.files:
            client.log_artifact(whole, str(file))
        for model in told.models:
            _log(client, place, told, model, {**tags, "mlflow.parentRunId": whole})
        client.set_terminated(whole)
    except (MlflowException, OSError) as error:
        said = str(error).strip().splitlines()[0][:400]
        raise UsageError(f"MLflow did not take the run of {directory}: {said}") from None
    return str(whole)


def _log(client: Any, place: str, told: TrackedRun, model: Tracked, tags: dict[str, str]) -> None:
    from mlflow.entities import Metric, Param, RunTag

    moment = int(time.time() * 1000)
    run = client.create_run(place, run_name=model.model, tags=tags).info.run_id
    names = safe_names({**model.figures, **model.settings, **model.missing, **model.verdicts})
    metrics = [Metric(names[name], value, moment, 0) for name, value in model.figures.items()]
    params = [Param(names[name], value[:_LONG]) for name, value in model.settings.items()]
    said = {**{f"verdict {names[n]}": v for n, v in model.verdicts.items()}}
    said |= {f"missing {names[n]}": reason for n, reason in model.missing.items()}
    noted = [RunTag(name[:240], value[:_LONG]) for name, value in said.items()]
    for start in range(0, len(metrics), _BATCH):
        client.log_batch(run, metrics=metrics[start : start + _BATCH])
    for start in range(0, max(len(params), len(noted)), _FEW):
        client.log_batch(run, params=params[start : start + _FEW], tags=noted[start : start + _FEW])
    client.set_terminated(run)
