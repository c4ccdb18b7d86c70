"""``audit:`` of a suite: everything, nothing, and names that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from audited import HOSTILE, audited, changed

from genrec_eval.core.errors import UsageError
from genrec_eval.core.faults import FileError
from genrec_eval.reporting.contents.evidence import FACTS
from genrec_eval.reporting.html import render_report
from genrec_eval.suite.framework import EvidenceFact
from genrec_eval.suite.load import resolve

SUITE = """
extends: quickstart
name: audited
audit:
  risks:
    - risk: Somebody is served worse
      scenarios: [{scenario}]
    - risk: Something else
      {area}
      why_not: no data
"""


def test_a_risk_names_scenarios_that_exist(tmp_path: Path) -> None:
    path = tmp_path / "audited.yaml"
    path.write_text(SUITE.format(scenario="top-kk", area="area: robustnes"))
    with pytest.raises(FileError) as caught:
        resolve(path)
    first, second = caught.value.lines
    assert "audited.yaml:7: audit.risks.0.scenarios.0: no scenario 'top-kk'" in first
    assert "did you mean 'top-k'?" in first
    assert "audited.yaml:9: audit.risks.1.area" in second
    assert "did you mean 'robustness'?" in second
    path.write_text(SUITE.format(scenario="top-k", area="area: robustness"))
    assert resolve(path).suite.audit is not None


def test_a_framework_of_ones_own_is_checked_and_mapped(copied: Path) -> None:
    row = {"id": "R1", "title": "Accuracy", "asks": "Say how accurate it is.", "needs": []}
    row["needs"] = [{"what": "accuracy", "metrics": ["ndcg"]}, {"what": "a purpose", "facts": ["purpose"]}]
    mine = {"title": "House rules", "version": "2026", "source": "intranet", "rows": [row]}
    audit = {"audit": {"frameworks": {"house": mine}}, "extends": "quickstart", "name": "own"}
    assert resolve(audit).suite.audit is not None
    changed(copied, lambda run: run["suite"].update(audit={"frameworks": {"house": mine}}))
    house = audited(copied).frameworks[-1]
    assert house.own
    assert house.rows[0].state == "partial"
    assert house.rows[0].missing == ["a purpose"]
    row["needs"] = [{"what": "x", "facts": ["purposes"]}]
    with pytest.raises(FileError, match="did you mean 'purpose'"):
        resolve(audit)
    mine["rows"] = [row | {"needs": []}, row | {"needs": []}]
    with pytest.raises(FileError, match="the row 'R1' is there twice"):
        resolve(audit)


def test_every_fact_that_a_framework_may_ask_for_can_be_looked_up() -> None:
    assert set(EvidenceFact.__args__) == set(FACTS)  # type: ignore[attr-defined]


def test_nothing_stated_is_as_visible_as_what_is(copied: Path) -> None:
    changed(copied, lambda run: run["suite"].update(audit=None))
    scope = audited(copied).scope
    assert [said.title for said in scope.parties if not said.stated] == [said.title for said in scope.parties]
    page = render_report(copied)
    section = page[page.index('id="scope"') :].partition("</section>")[0]
    assert section.count('<em class="unsaid">not stated</em>') == len(scope.parties)
    assert "who" not in scope.silent


def test_everything_stated_is_shown_and_hostile_text_is_escaped(copied: Path) -> None:
    words = ("system", "purpose", "commissioned_by", "conducted_by", "independence", "intended_use")
    audit = {key: f"{key} {HOSTILE}" for key in (*words, "population", "personal_data", "selection")}
    audit |= {
        "out_of_scope": [HOSTILE],
        "deviations": [f"the plan said two weeks {HOSTILE}"],
        "risks": [
            {"risk": f"first {HOSTILE}", "scenarios": ["top-k"]},
            {"risk": f"second {HOSTILE}", "area": "images", "why_not": f"later {HOSTILE}"},
        ],
    }
    changed(copied, lambda run: run["suite"].update(audit=audit))
    page = render_report(copied)
    for key in words:
        assert f"{key} &lt;script&gt;alert(1)&lt;/script&gt; ⟨U+202E⟩gnp {{{{ 7*7 }}}}" in page
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert "\u202e" not in page
    found = audited(copied)
    assert not found.scope.silent
    states = {row.title: row.state for row in found.risks}
    assert states["Images"] == "NOT TESTED"
    assert states[f"first {HOSTILE}"] == "TESTED"
    assert ("Stated in the suite" in {what for what, _ in found.deviations}) is True


def test_a_broken_audit_is_a_sentence(copied: Path) -> None:
    changed(copied, lambda run: run["suite"].update(audit={"system": 5}))
    with pytest.raises(UsageError, match=r"'suite\.audit' is not as genrec-eval writes it"):
        audited(copied)
