"""Getting a data set: downloaded, verified, unpacked beside its place, and only then put there."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from genrec_eval.core.errors import IncompleteError, UsageError, did_you_mean
from genrec_eval.data.fetching.archives import unpack
from genrec_eval.data.fetching.download import PAUSES, download
from genrec_eval.data.fetching.first_use import check_first_use, remember
from genrec_eval.data.fetching.sources import DataSource, SourceFile
from genrec_eval.data.loaders.folder import recognise
from genrec_eval.data.registry import DATASETS

Report = Callable[[SourceFile, int, int | None], None]

_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Fetched:
    """A data set that is there.

    Attributes
    ----------
    folder
        Where its files are.
    options
        Options of the kind of dataset that say where, for the suite.
    first
        File → sha256, of files whose checksum nobody documents and that were not downloaded before.
    """

    folder: Path
    options: dict[str, str]
    first: dict[str, str]


def check_target(name: str, to: Path, *, replace: bool = False) -> Path:
    """The folder of the data set below ``to``; it is refused when it is there and not to be replaced."""
    target = to / name
    if target.exists() and not replace:
        raise UsageError(
            f"{target} is there already; check it with `genrec-eval data check`, replace it with --replace,"
            " or give another place with --to"
        )
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise UsageError(f"{target} is not a folder and is not replaced; give another place with --to")
    return target


def fetch(
    name: str,
    source: DataSource,
    to: Path,
    *,
    replace: bool = False,
    report: Report | None = None,
    pauses: Sequence[float] = PAUSES,
) -> Fetched:
    """Get ``source`` into the folder ``name`` below ``to``.

    All is done in a hidden folder beside it, which becomes ``to/name`` in one step at the end: what has
    that name is whole. After a broken transfer the hidden folder stays, so that another call goes on.

    Raises
    ------
    UsageError
        When the target is there, a checksum differs, an archive is not safe to unpack, or nothing in it
        is what the kind of dataset reads.
    IncompleteError
        When the transfer broke off.
    """
    if source.by_hand is not None:
        raise UsageError(f"'{name}' cannot be downloaded by a program. {source.by_hand}")
    if source.dataset not in DATASETS.names():
        known = DATASETS.names()
        raise UsageError(f"unknown dataset '{source.dataset}'{did_you_mean(source.dataset, known)}")
    target = check_target(name, to, replace=replace)
    fresh = not to.exists()
    work = to / f".{name}.download"
    work.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(work / "lock", timeout=0):
            check_target(name, to, replace=replace)  # another one may just have finished
            try:
                return _fetch(source, work, target, report, pauses)
            except (IncompleteError, KeyboardInterrupt):
                shutil.rmtree(work / "files", ignore_errors=True)
                raise
            except BaseException:
                _remove(work, "*.part")
                raise
            finally:
                if not any(part.stat().st_size for part in work.glob("*.part")):
                    shutil.rmtree(work, ignore_errors=True)
                    with suppress(OSError):
                        if fresh:
                            to.rmdir()  # only where it is empty
    except Timeout:
        raise UsageError(f"another genrec-eval is getting '{name}' into {to} right now") from None


def _fetch(
    source: DataSource, work: Path, target: Path, report: Report | None, pauses: Sequence[float]
) -> Fetched:
    files, old = work / "files", work / "old"
    shutil.rmtree(files, ignore_errors=True)  # of a call that was killed
    if old.exists() and not target.exists():
        old.rename(target)
    first: list[tuple[SourceFile, str]] = []
    parts: list[tuple[SourceFile, Path]] = []
    for file in source.files:

        def tell(done: int, total: int | None, file: SourceFile = file) -> None:
            if report is not None:
                report(file, done, total)

        parts.append((file, download(file, work, tell, pauses)))
    for file, part in parts:
        sha256 = verify(file, part)
        if sha256 is not None:
            first.append((file, sha256))
    files.mkdir()
    for file, part in parts:
        if file.unpack == "none":
            part.rename(files / file.file)
        else:
            unpack(part, file.unpack, files, file.file)
    places = _places(source, files)
    if target.exists():
        target.rename(old)
    try:
        files.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    for file, sha256 in first:
        remember(file.url, sha256)
    _remove(work, "*.part")
    return Fetched(
        target,
        {option: str(target / place) for option, place in places.items()},
        {file.file: sha256 for file, sha256 in first},
    )


def _remove(work: Path, pattern: str) -> None:
    for path in work.glob(pattern):
        path.unlink()


def verify(file: SourceFile, path: Path) -> str | None:
    """Compare with what is documented, or with the first download; the sha256 where neither is there.

    Raises
    ------
    UsageError
        When it differs.
    """
    sums = {"sha256": hashlib.sha256(), "md5": hashlib.md5(usedforsecurity=False)}
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            for one in sums.values():
                one.update(block)
    documented = {kind: value for kind in sums if (value := getattr(file, kind)) is not None}
    for kind, wanted in documented.items():
        if (found := sums[kind].hexdigest()) != wanted:
            raise UsageError(
                f"{file.url} gave a file with {kind} {found} where the catalogue says {wanted}: it was"
                " damaged on the way, or is not the file that it should be; nothing is unpacked"
            )
    if documented:
        return None
    with path.open("rb") as stream:
        if stream.read(512).lstrip().lower().startswith((b"<!doctype html", b"<html")):
            raise UsageError(
                f"{file.url} gave a web page where a file of data is expected; a login or a proxy may stand"
                " before it"
            )
    sha256 = sums["sha256"].hexdigest()
    return None if check_first_use(file.url, sha256) else sha256


def _places(source: DataSource, files: Path) -> dict[str, str]:
    """Option → place below the folder."""
    for option, place in source.paths.items():
        if not (files / place).exists():
            raise UsageError(
                f"{source.title}: the files hold no '{place}', which the catalogue names as {option}"
            )
    if source.paths:
        return dict(source.paths)
    level = [files]
    for _ in range(_DEEPEST):
        for folder in level:
            if recognise(folder) == source.dataset:
                return {"path": str(folder.relative_to(files))}
        level = [below for folder in level for below in sorted(folder.iterdir()) if below.is_dir()]
    found = ", ".join(sorted(path.name for path in files.rglob("*") if path.is_file())[:10])
    raise UsageError(
        f"{source.title}: nothing in the files is what dataset '{source.dataset}' reads (there is: {found})"
    )
