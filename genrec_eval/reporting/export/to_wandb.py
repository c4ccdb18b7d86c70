"""A run as runs of Weights & Biases: one for each model, in a group of the suite's run."""

from __future__ import annotations

from pathlib import Path

from genrec_eval.core.errors import UsageError
from genrec_eval.reporting.export.tracked import tracked


def log_wandb(
    directory: Path, *, project: str = "genrec-eval", offline: bool = False, folder: Path | None = None
) -> list[str]:
    """Log a scored run and return the ids of its W&B runs.

    Nothing of the machine is sent along: no system figures, no code, no git state, no console output.

    Parameters
    ----------
    offline
        Write files that ``wandb sync`` sends later, instead of sending now.
    folder
        Where wandb keeps its files; the working directory by default.

    Raises
    ------
    UsageError
        When wandb is not installed, or does not take the run.
    """
    try:
        import wandb
    except ImportError as error:
        raise UsageError(
            f"wandb is not installed ({error}); install it with: pip install 'genrec-eval[wandb]'"
        ) from None
    told = tracked(directory)
    settings = wandb.Settings(
        silent=True,
        console="off",
        disable_git=True,
        disable_code=True,
        save_code=False,
        x_disable_meta=True,
        x_disable_stats=True,
        x_save_requirements=False,
    )
    ids = []
    try:
        for model in told.models:
            run = wandb.init(
                project=project,
                name=model.model,
                group=f"{told.suite} {told.run}",
                job_type="evaluation",
                config=dict(model.settings),
                mode="offline" if offline else "online",
                dir=None if folder is None else str(folder),
                reinit="finish_previous",
                settings=settings,
            )
            run.summary.update(
                {
                    **model.figures,
                    **{f"verdict/{claim}": verdict for claim, verdict in model.verdicts.items()},
                    **{f"missing/{name}": reason for name, reason in model.missing.items()},
                }
            )
            if model is told.models[0]:
                kept = wandb.Artifact(f"genrec-eval-{told.run}", type="evaluation")
                for file in told.files:
                    kept.add_file(str(file))
                run.log_artifact(kept)
            ids.append(run.id)
            run.finish()
        wandb.teardown()  # waits until everything is written: finish alone may return before
    except (wandb.Error, OSError) as error:
        said = str(error).strip().splitlines()[0][:400]
        raise UsageError(f"Weights & Biases did not take the run of {directory}: {said}") from None
    return ids
