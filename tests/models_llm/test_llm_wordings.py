"""Wordings of a prompt: names of other words for the same thing, none of which may be the usual ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.models.llm.prompt import load_prompt

HEAD = "name: mine\nversion: 1\ndescription: My own.\nkind: rank\n"
VALUES = {"k": 3, "history": ["Heat (1995)"], "candidates": None, "catalogue_hint": "Films."}


def test_a_wording_that_changes_nothing_is_refused(tmp_path: Path) -> None:
    text = (
        HEAD + "wordings: [formal]\nuser: |\n  {{ k }} films{% if wording == 'fromal' %}, please{% endif %}\n"
    )
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"mine\.yaml:5: prompt: the wording 'formal' reads like the usual"):
        load_prompt("mine.yaml", tmp_path)
    (tmp_path / "mine.yaml").write_text(text.replace("fromal", "formal"))
    prompt = load_prompt("mine.yaml", tmp_path)
    assert prompt.render(**VALUES, profile={}, wording="formal")[1] == "3 films, please"
    prompt.check(candidates=False, profile=False, wording="formal")
    with pytest.raises(UsageError, match="has no wording 'fromal'; did you mean 'formal'"):
        prompt.check(candidates=False, profile=False, wording="fromal")


def test_the_shipped_wordings_say_the_same_in_other_words() -> None:
    worded, plain = load_prompt("rank-wordings", Path("/")), load_prompt("rank-list", Path("/"))
    for profile in ({}, {"gender": "female"}):
        usual = plain.render(**VALUES, profile=profile, wording=None)
        assert worded.render(**VALUES, profile=profile, wording=None) == usual
        texts = [worded.render(**VALUES, profile=profile, wording=name)[1] for name in worded.wordings]
        for text in texts:
            assert "- Heat (1995)" in text
            assert ("gender: female" in text) == bool(profile)
            assert " 3 " in text
