"""Anybody's metric of the library `evaluate`, from a script on this disk, as a metric of ours."""

from __future__ import annotations

import hashlib
import importlib
import math
import sys
import tempfile
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.core.huggingface import need
from genrec_eval.core.registry import beside_suite, python_file
from genrec_eval.metrics.base import Accumulator, Definition, UnitScores, define
from genrec_eval.metrics.text.comparing import reasons
from genrec_eval.metrics.text.texts import NO_REFERENCE, NO_TEXT, Texts
from genrec_eval.protocol.arrays import Float64

UNDEFINED = "undefined"
"""Reason: the metric gave no finite number for the text."""


@define(
    Definition(
        name="evaluate",
        title="Metric of evaluate",
        summary="A metric of the library evaluate, from a script beside the suite.",
        formula="whatever the script computes. per=run: one value of all texts, its interval from what it"
        " would be without each text, or without each of `groups` groups of texts where there are more (a"
        " result with one number per text is a mean over them); per=text: the mean over texts of the metric"
        " of each alone",
        degenerate="No text: left out (no-text). The script takes references and there is none: left out"
        " (no-reference). No finite number for a text: left out (undefined); for the run: no text is scored.",
        source="The script; Quenouille 1956 and Shao & Wu 1989 for the jackknife, with groups.",
        direction="none",
        bounds=(None, None),
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        parameters={
            "path": ("", None),
            "key": ("", None),
            "per": ("run", ("run", "text")),
            "config": ("", None),
            "groups": (100, None),
        },
        meanings={
            "path": "the script, or the folder of a script of its name, beside the suite; never a name on the"
            " hub: nothing is downloaded, and no code runs that the suite does not name",
            "key": "which number of the result; may be left out where there is one",
            "per": "run: the script sees all texts at once, groups + 1 times; text: one at a time",
            "config": "the configuration (config_name) of the script",
            "groups": "most groups of texts that are left out one after another",
        },
        traps="The script's own parameters are those that it takes by default.",
    )
)
class EvaluateMetric(Accumulator):
    """A script's metric of the run, or of each text."""

    def __init__(self, *, path: str, key: str, per: str, config: str, groups: int) -> None:
        if not path:
            raise UsageError("metric 'evaluate' needs a script, as in evaluate(path=my_metric/my_metric.py)")
        if groups < 2:
            raise UsageError(f"metric 'evaluate': groups is at least 2, not {groups}")
        self.path, self.key, self.per, self.config, self.groups = path, key, per, config, groups
        self.texts: list[str | None] = []
        self.references: list[tuple[str, ...]] = []

    def update(self, texts: Texts) -> None:
        """Take in the next texts."""
        self.texts += texts.texts
        self.references += texts.references or [()] * len(texts)

    def finish(self) -> UnitScores:
        """Run the script."""
        cls = script_class(self.path)
        with tempfile.TemporaryDirectory() as folder:
            return self._scores(_Module.of(cls, self.config, folder, self.path))

    def _scores(self, module: _Module) -> UnitScores:
        missing = np.array([text is None for text in self.texts], bool)
        bare = np.array([not some for some in self.references], bool) & ~missing & module.referenced
        why = {NO_TEXT: missing, NO_REFERENCE: bare}
        rows = np.flatnonzero(~missing & ~bare)
        values = np.zeros(len(missing))
        if not len(rows):
            return UnitScores(values=values, total=0.0 if self.per == "run" else None, reasons=reasons(why))
        if self.per == "text":
            each = np.concatenate([self._of(module, rows[at : at + 1])[:1] for at in range(len(rows))])
            return _mean(values, rows, each, why)
        found = self._of(module, rows)
        if len(found) > 1:
            return _mean(values, rows, found, why)
        total = float(found[0])
        if not math.isfinite(total):
            return _mean(values, rows, np.full(len(rows), np.nan), why)
        if len(rows) > 1:
            values[rows] = self._losses(module, rows, total)
        return UnitScores(values=values, total=total, reasons=reasons(why))

    def _losses(self, module: _Module, rows: Any, total: float) -> Float64:
        """What the run would lose without each text, so that the jackknife's error is that of the groups."""
        groups = min(self.groups, len(rows))
        of = np.arange(len(rows)) % groups
        losses = np.array([total - self._of(module, rows[of != one])[0] for one in range(groups)])
        if not np.isfinite(losses).all():
            raise UsageError(
                f"metric 'evaluate(path={self.path})' has no value without some of the texts, and so no"
                " interval: give it more texts or fewer groups"
            )
        mean = losses.mean()
        size = np.bincount(of)[of]
        # each text of a group bears so much of its deviation that the squares add up to the group's
        spread: Float64 = mean / size + (losses[of] - mean) / np.sqrt(size)
        return spread

    def _of(self, module: _Module, rows: Any) -> Float64:
        """The result for some texts: one number, or one per text."""
        result = module.compute(
            [self.texts[row] or "" for row in rows.tolist()], [self.references[row] for row in rows.tolist()]
        )
        return _number(result, self.key, len(rows), self.path)


def _mean(values: Float64, rows: Any, each: Float64, why: dict[str, Any]) -> UnitScores:
    finite = np.isfinite(each)
    values[rows[finite]] = each[finite]
    undefined = np.zeros(len(values), bool)
    undefined[rows[~finite]] = True
    return UnitScores(values=values, reasons=reasons({**why, UNDEFINED: undefined}))


def _number(result: Any, key: str, n: int, path: str) -> Float64:
    """The wanted entry of a result."""
    if not isinstance(result, Mapping):
        raise UsageError(
            f"metric 'evaluate(path={path})' gave {type(result).__name__}, not a dict of results"
        )
    readable = {str(name): found for name, one in result.items() if (found := _numbers(one, n)) is not None}
    known = ", ".join(readable) or "none"
    if key:
        if key not in readable:
            raise UsageError(
                f"metric 'evaluate(path={path})' gives no number under key={key}, but under: {known}"
            )
        return readable[key]
    if len(readable) != 1:
        raise UsageError(f"metric 'evaluate(path={path})' gives numbers under: {known}; say which with key=…")
    return next(iter(readable.values()))


def _numbers(given: Any, n: int) -> Float64 | None:
    """One number, or one per text; None for anything else."""
    try:
        found = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        return None
    if isinstance(given, str | bytes) or found.ndim > 1 or (found.ndim == 1 and len(found) != n):
        return None
    return found.reshape(-1)


class _Module(NamedTuple):
    """A metric of evaluate and how it takes texts."""

    module: Any
    path: str
    text: str
    """Name of the input that takes the texts."""
    referenced: bool
    many: bool
    """Whether it takes several references for a text."""

    @classmethod
    def of(cls, kind: Any, config: str, folder: str, path: str) -> _Module:
        what = f"metric 'evaluate(path={path})'"
        try:
            module = kind(config_name=config or None, keep_in_memory=True, cache_dir=folder, seed=0)
            module._download_and_prepare(_NoDownloads(what))
        except UsageError:
            raise
        except Exception as error:
            raise UsageError(f"{what} cannot be set up: {type(error).__name__}: {error}") from error
        options = module.features if isinstance(module.features, list) else [module.features]
        shapes = [shape for one in options if (shape := _shape(one)) is not None]
        if not shapes:
            raise UsageError(
                f"{what} takes {' or '.join(map(str, options))}; a suite has texts (predictions) and"
                " reference texts (references)"
            )
        text, referenced, many = max(shapes, key=lambda shape: shape[2])
        return cls(module, path, text, referenced, many)

    def compute(self, texts: Sequence[str], references: Sequence[tuple[str, ...]]) -> Any:
        """The result of the script."""
        given: dict[str, Any] = {self.text: list(texts)}
        if self.referenced:
            if not self.many and any(len(some) > 1 for some in references):
                raise UsageError(
                    f"metric 'evaluate(path={self.path})' takes one reference for a text, and some texts here"
                    " have several"
                )
            given["references"] = [list(some) if self.many else some[0] for some in references]
        try:
            return self.module.compute(**given)
        except Exception as error:  # somebody's code
            raise UsageError(
                f"metric 'evaluate(path={self.path})' raised {type(error).__name__}: {error}"
            ) from error


def _shape(features: Any) -> tuple[str, bool, bool] | None:
    """Input for the texts, whether it takes references, whether several; None for what is not about texts."""
    names = set(features)
    if names not in ({"predictions"}, {"predictions", "references"}, {"data"}):
        return None
    text = "data" if "data" in names else "predictions"
    if getattr(features[text], "dtype", None) != "string":
        return None
    if "references" not in names:
        return text, False, False
    wanted = features["references"]
    inner = wanted[0] if isinstance(wanted, list) else getattr(wanted, "feature", None)
    if getattr(inner if inner is not None else wanted, "dtype", None) != "string":
        return None
    return text, True, inner is not None


class _NoDownloads:
    """In place of the library's download manager."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __getattr__(self, name: str) -> Any:
        raise UsageError(f"{self._what} wants to download files; nothing is downloaded while a run is scored")


def script_class(place: str) -> Any:
    """The class of a script, imported from where it lies, with its neighbours for relative imports.

    Raises
    ------
    UsageError
        When there is no such script, it cannot be imported, or it holds no metric.
    """
    what = f"metric 'evaluate(path={place})'"
    need("metric 'evaluate'", "evaluate", "evaluate")
    import evaluate

    path = _script(place)
    package = f"genrec_eval_evaluate_{hashlib.sha256(str(path.parent).encode()).hexdigest()[:12]}"
    if package not in sys.modules:
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = [str(path.parent)]
    try:
        module = importlib.import_module(f"{package}.{path.stem}")
    except (Exception, SystemExit) as error:
        raise UsageError(f"{what}: importing {path} raised {type(error).__name__}: {error}") from error
    kinds = [
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, evaluate.EvaluationModule)
    ]
    own = [one for one in kinds if one.__module__ == module.__name__] or [
        one for one in kinds if not one.__module__.startswith("evaluate.")
    ]
    if not own:
        raise UsageError(f"{what}: {path} holds no class of evaluate.Metric")
    return own[0]


def _script(place: str) -> Path:
    folder = beside_suite(place)
    if folder.is_dir() and (folder / f"{folder.name}.py").is_file():
        return (folder / f"{folder.name}.py").resolve()
    if not place.endswith(".py"):
        raise UsageError(
            f"metric 'evaluate(path={place})': there is no folder {folder} with a script of its name; a"
            " name on the Hugging Face hub is not loaded, since its code would run here unseen: save its"
            " folder beside the suite and name its .py file"
        )
    return python_file(place).resolve()
