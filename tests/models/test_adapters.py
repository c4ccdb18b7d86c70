"""What all adapters have in common."""

from __future__ import annotations

import subprocess
import sys

import pytest

from genrec_eval.models.chat import ChatCapableSpec
from genrec_eval.models.spec import ADAPTERS, ModelSpec

HEAVY = ("numpy", "pandas", "pyarrow", "openai", "httpx2", "scipy")


def test_reading_what_a_suite_says_of_models_imports_nothing_heavy() -> None:
    source = (
        "import sys; from genrec_eval.models.spec import ADAPTERS;"
        "[ADAPTERS.get(name) for name in ADAPTERS.builtin];"
        f"print(sorted(set({HEAVY}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["python", "replay", "http", "process", "openai"])
def test_chat_models_can_be_asked_for_recommendations_and_say_what_each_key_is(name: str) -> None:
    spec: type[ModelSpec] = ADAPTERS.get(name)
    assert issubclass(spec, ChatCapableSpec)
    assert spec.model_fields["adapter"].default == name
    schema = spec.model_json_schema()
    assert "recommender" in schema["properties"]
    assert spec.__doc__
