"""Where shipped content lies: inside an installed wheel, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def content(folder: str) -> Path:
    """Return the folder of shipped ``suites``, ``judges`` or ``reports``."""
    inside = PACKAGE / "content" / folder
    return inside if inside.is_dir() else PACKAGE.parent / folder
