"""Trust on first use: what an undocumented download was the first time, it must be every time."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from genrec_eval.core.errors import UsageError


def store() -> Path:
    """The file in which checksums are kept, per user: ``~/.local/state/genrec-eval/downloads.json``."""
    state = os.environ.get("XDG_STATE_HOME", "")
    base = Path(state) if state and Path(state).is_absolute() else Path.home() / ".local" / "state"
    return base / "genrec-eval" / "downloads.json"


def check_first_use(url: str, sha256: str) -> bool:
    """Whether ``url`` gave this file before; False when it was never downloaded.

    Raises
    ------
    UsageError
        When it gave another file before.
    """
    known = _read(store()).get(url)
    if known is None:
        return False
    if known["sha256"] != sha256:
        raise UsageError(
            f"{url} gave a file with sha256 {sha256}, and on {known['first']} one with {known['sha256']}: the"
            " publisher or somebody on the way has changed it; if you trust it, remove the entry from"
            f" {store()}"
        )
    return True


def remember(url: str, sha256: str) -> None:
    """Keep the checksum of ``url``, unless there is one."""
    path = store()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        known = _read(path)
        if url in known:
            return
        known[url] = {"sha256": sha256, "first": datetime.now(UTC).date().isoformat()}
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
        fresh.replace(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        found = None
    good = isinstance(found, dict) and all(
        isinstance(entry, dict)
        and isinstance(entry.get("sha256"), str)
        and isinstance(entry.get("first"), str)
        for entry in found.values()
    )
    if not good:
        raise UsageError(f"{path} is damaged; mend it, or remove it to trust the next downloads anew")
    return dict(found)
