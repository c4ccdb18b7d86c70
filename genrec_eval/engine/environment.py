"""Where a run was made: versions, machine, git state; never a secret."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = (
    "genrec-eval",
    "numpy",
    "pyarrow",
    "pandas",
    "scipy",
    "pydantic",
    "httpx2",
    "openai",
    "torch",  # those of the extras, where they are installed
    "numba",
)


def versions() -> dict[str, str]:
    """Versions of the packages that numbers may depend on."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Python, platform and processors."""
    return {"python": platform.python_version(), "platform": platform.platform(), "cpus": os.cpu_count()}


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit of the checkout that holds ``folder``, and whether it was changed since; None outside one."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return {
            "commit": commit,
            "changed": bool(_git(folder, "status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
