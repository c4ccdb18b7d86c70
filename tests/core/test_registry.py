"""Objects are loaded from strangers' files."""

from __future__ import annotations

from pathlib import Path

import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.core.registry import load_object


def test_a_file_that_exits_does_not_end_the_run_as_if_it_had_passed(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("import sys\n\ndef rank(): ...\n\nsys.exit(0)\n")
    with pytest.raises(UsageError, match=r"importing 'model\.py' raised SystemExit: 0"):
        load_object("model.py:rank", tmp_path)


@pytest.mark.parametrize("target", ["model.py:slotted.nothing", "model.py:number.nothing"])
def test_attributes_of_any_object_are_looked_for(tmp_path: Path, target: str) -> None:
    (tmp_path / "model.py").write_text("class A:\n    __slots__ = ('x',)\n\nslotted = A()\nnumber = 3\n")
    with pytest.raises(UsageError, match="has no 'nothing'"):
        load_object(target, tmp_path)
