"""JUnit XML of a gate, read back as GitLab, Jenkins and the test reporters of GitHub read it."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from gate_fixture import ROWS, alone, gate, hostile, row
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.audit.gating.types import GateResult
from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.gate.junit import junit

SUITE = {"name", "tests", "failures", "errors", "skipped", "time"}
CASE = {"name", "classname", "time"}
INSIDE = ("failure", "error", "skipped", "system-out")


def parsed(result: GateResult) -> ElementTree.Element:
    """The suite, after every rule of the schema that CI services share."""
    text = junit(result)
    assert text.startswith("<?xml version='1.0' encoding='utf-8'?>")
    root = ElementTree.fromstring(text.encode())
    assert root.tag == "testsuites"
    assert [child.tag for child in root] == ["testsuite"]
    suite = root[0]
    assert set(suite.attrib) == SUITE
    order = [child.tag for child in suite]
    assert order == ["properties", *["testcase"] * (len(order) - 2), "system-out"]
    assert all(set(one.attrib) == {"name", "value"} for one in suite.iterfind("properties/property"))
    cases = suite.findall("testcase")
    for case in cases:
        assert set(case.attrib) == CASE
        assert float(case.attrib["time"]) == 0  # a figure is no time
        assert len(case) == 1
        assert case[0].tag in INSIDE
        if case[0].tag != "system-out":
            assert set(case[0].attrib) == {"type", "message"}
    names = [(case.attrib["classname"], case.attrib["name"]) for case in cases]
    assert len(set(names)) == len(names)
    for holder in (suite, root):
        assert int(holder.attrib["tests"]) == len(cases)
        assert int(holder.attrib["failures"]) == len(suite.findall("testcase/failure"))
        assert int(holder.attrib["errors"]) == len(suite.findall("testcase/error"))
    assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
    return suite


def counts(suite: ElementTree.Element) -> tuple[int, ...]:
    return tuple(int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped"))


def test_a_case_a_rule_worst_first_with_its_reason() -> None:
    suite = parsed(gate())
    assert counts(suite) == (4, 2, 1, 0)
    first = suite.findall("testcase")[0]
    assert first.attrib == {
        "name": "ndcg does not drop (item-knn · top-k)",
        "classname": "quickstart.top-k",
        "time": "0",
    }
    assert first[0].attrib["message"].startswith("FAIL: 0.022 lower, which is more than 0.01")
    assert "ndcg@10 −0.022 ± 0.009, asked not worse than the baseline by more than 0.01" in str(first[0].text)
    assert "suite.yaml:12" in str(first[0].text)


@pytest.mark.parametrize(
    ("inconclusive", "expected"), [("fail", (1, 1, 0, 0)), ("warn", (1, 0, 0, 1)), ("pass", (1, 0, 0, 1))]
)
def test_what_is_undecided_fails_or_is_skipped_as_the_suite_says(
    inconclusive: str, expected: tuple[int, ...]
) -> None:
    assert counts(parsed(gate([row(Ruling.INSUFFICIENT)], inconclusive=inconclusive))) == expected


def test_what_is_incomplete_is_an_error_of_its_own() -> None:
    suite = parsed(gate([alone()], incomplete=["80 of 100 cases answered", "no scores of llm"]))
    assert counts(suite) == (3, 0, 2, 0)
    assert "80 of 100 cases answered" in str(suite.find("testcase/error").text)  # type: ignore[union-attr]


def test_a_gate_without_rules_is_an_empty_suite() -> None:
    assert counts(parsed(gate([]))) == (0, 0, 0, 0)


def test_rules_of_one_name_stay_apart() -> None:
    assert counts(parsed(gate([row(), row(), row(slice="gender=F")])))[0] == 3


def test_figures_stand_in_the_properties() -> None:
    suite = parsed(gate())
    found = {one.attrib["name"]: one.attrib["value"] for one in suite.iterfind("properties/property")}
    assert found["ndcg does not drop (item-knn · top-k): value"] == "-0.0221"
    assert found["ndcg does not drop (item-knn · top-k): n"] == "943"
    assert found["Exit code"] == "1"
    assert found["Baseline"].startswith("baselines/main.json")


@pytest.mark.parametrize("inconclusive", ["fail", "warn"])
def test_hostile_text_stays_text(inconclusive: str) -> None:
    suite = parsed(hostile(inconclusive))
    assert counts(suite)[0] == 2 * len(ROWS) + 2
    assert not suite.findall(".//script")
    assert "<script>alert(1)</script>" in suite.findall("testcase")[0].attrib["name"]
    assert len(junit(hostile())) < 120_000


@given(st.text(st.characters(), max_size=60))
def test_every_text_gives_a_document_that_parses(text: str) -> None:
    parsed(gate([row(Ruling.FAIL, rule=text, reason=text, scenario=text, model=text)], suite=text, run=text))
