"""The README's example of our metrics in the library `evaluate` runs as it is shown."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"


def test_metrics_for_the_library_evaluate(tmp_path: Path) -> None:
    pytest.importorskip("evaluate", reason="needs the extra 'evaluate'")
    (block,) = re.findall(r"^```python file=with_evaluate\.py\n(.*?)^```$", README.read_text(), re.M | re.S)
    (tmp_path / "with_evaluate.py").write_text(block)
    done = subprocess.run(
        [sys.executable, "with_evaluate.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ast.literal_eval(done.stdout)["chrf_value"] > 0
