"""Coverage, risks, limits, deviations and trade-offs follow from the facts of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from audited import audited, changed

import genrec_eval
from genrec_eval.core.content import content
from genrec_eval.metrics.registry import METRICS
from genrec_eval.reporting.contents.frameworks import load_framework
from genrec_eval.reporting.contents.limits import family_of
from genrec_eval.reporting.results import Results
from genrec_eval.scenarios.base import SCENARIOS
from genrec_eval.suite.audit import RiskArea

SHIPPED = [*sorted((content("reports") / "frameworks").glob("*.yaml")), content("reports") / "risks.yaml"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_rows_name_metrics_and_scenarios_that_exist(path: Path) -> None:
    for row in load_framework(path).rows:
        for need in row.needs:
            assert need.metrics or need.scenarios or need.facts, row.id
            assert set(need.metrics) <= set(METRICS.names()), row.id
            assert set(need.scenarios) <= set(SCENARIOS.names()), row.id


def test_areas_of_risk_are_those_that_a_suite_may_name() -> None:
    rows = load_framework(content("reports") / "risks.yaml").rows
    assert tuple(row.id for row in rows) == RiskArea.__args__  # type: ignore[attr-defined]


def test_no_row_of_a_framework_says_that_anything_complies(quickstart: Path) -> None:
    for mapped in audited(quickstart).frameworks:
        assert {row.state for row in mapped.rows} <= {"present", "partial", "none"}
        for row in mapped.rows:
            found = sum(bool(piece.found) for piece in row.pieces)
            if row.state == "present":
                assert found == len(row.pieces) > 0
                assert row.row.beyond is None
            if row.state == "none":
                assert not found
        assert not any(
            "compl" in text.lower() for row in mapped.rows for text in (row.row.asks, row.row.title)
        )


def test_coverage_says_how_every_pairing_ended(copied: Path) -> None:
    def cut(document: dict[str, Any]) -> None:
        first, second = document["coverage"][:2]
        first |= {"state": "partial", "attempted": 900, "answered": 880}
        first |= {"reason": "900 of 1,934 cases played: budget of 900 calls reached"}
        first["statuses"] = {"ok": 870, "refused": 10, "timeout": 20, "not_attempted": 1034}
        second |= {"state": "not-run", "reason": "the service could not be reached", "statuses": {}}

    found = audited(changed(copied, cut, "estimates.json"))
    cells = dict(found.coverage.rows)
    first, second = cells["random"][0], cells["popularity"][0]
    assert first is not None
    assert second is not None
    assert (first.word, first.answered) == ("PARTIAL", "880 of 900 answered")
    assert first.statuses == "870 ok, 10 refused, 20 timeout, 1,034 not attempted"
    assert (second.word, second.why) == ("NOT RUN", "the service could not be reached")
    assert found.coverage.sentence == (
        "4 pairings of a model with a scenario: 2 run whole, 1 run in part, 1 not run."
    )
    said = dict(found.deviations)
    assert "budget of 900 calls reached" in said["random was played in part in top-k"]
    assert said["popularity was not played in top-k"] == "the service could not be reached"


def test_suppressed_groups_are_counted(copied: Path) -> None:
    def hide(document: dict[str, Any]) -> None:
        for row in document["estimates"]:
            if row["slice"] == "group=C" and row["metric"] == "ndcg@10":
                row |= {
                    "value": None,
                    "low": None,
                    "high": None,
                    "reason": "fewer than 5 units",
                    "attempted": 4,
                }

    before, after = audited(copied).coverage, audited(changed(copied, hide, "estimates.json")).coverage
    assert after.suppressed == before.suppressed + 4
    group = next(row for row in after.groups if (row.group, row.value) == ("group", "C"))
    assert group.suppressed == 4
    assert group.why == "fewer than 5 units (4)"


def test_limits_apply_or_are_not_told(copied: Path) -> None:
    def causes(directory: Path) -> str:
        return "\n".join(f"{one.sentence} {one.cause}" for one in audited(directory).limits)

    plain = causes(copied)
    for said in ("simulated", "stutterer is a model made to fail", "repeats: 1", "66 without a test item"):
        assert said in plain
    for said in (
        "recorded earlier",
        "--limit",
        "without regard to time",
        "Judge",
        "rests on",
        "later than what",
    ):
        assert said not in plain

    def other(run: dict[str, Any]) -> None:
        run["limit"] = 20
        run["models"]["random"]["top-k"] |= {"adapter": "replay", "repeats": 3}
        run["models"]["item-knn"]["top-k"] |= {"adapter": "openai", "identity": {"model": "acme/gpt-4o-mini"}}
        run["judges"] = {"j": {"adapter": "openai", "identity": {"model": "gpt-4o"}, "planted": None}}
        run["scenarios"]["top-k"]["facts"] |= {"method": "random", "leaked_interactions": 7}
        run["scenarios"]["top-k"]["facts"]["candidates"] = "100 sampled items"
        run["data"]["world"]["name"] = "films"
        run["suite"]["data"]["world"]["dataset"] = "files"
        run["suite"]["audit"] = {"population": "Everybody who asked."}

    told = causes(changed(copied, other))
    for said in (
        "The answers of random were recorded earlier",
        "Only a part of the suite was asked",
        "Judge j is of the family of item-knn",
        "How far j agrees with people is not known",
        "the training knows interactions that are later",
        "100 sampled items",
    ):
        assert said in told
    for said in ("simulated", "repeats: 1", "population is missing"):
        assert said not in told
    assert family_of("o3-mini") == "o"


def test_a_run_whole_and_clean_has_no_deviation(copied: Path) -> None:
    def clean(run: dict[str, Any]) -> None:
        run["git"] = {"commit": "a" * 40, "changed": False}

    assert audited(changed(copied, clean)).deviations == []


def test_deviations_are_recorded_by_the_run_itself(tmp_path: Path) -> None:
    path = tmp_path / "run"
    first = {"only": ["popularity", "random"], "limit": 30, "sets": ["seed=9"]}
    genrec_eval.run("quickstart", out=path, quiet=True, report=False, **first)  # type: ignore[arg-type]
    said = dict(audited(path).deviations)
    assert said["Only a part was asked"] == "--only popularity --only random"
    assert said["A sample was asked"].startswith("--limit 30")
    assert said["1 value was overridden (--set)"] == "seed=9"
    assert "No figure for the claim “ItemKNN ranks better than popularity”" in said
    commands = {title: command for title, command, _ in audited(path).provenance.commands}
    assert commands["Play this run again"] == (
        "genrec-eval run quickstart --set seed=9 --only popularity --only random --limit 30 --out replay"
    )
    changed(path, lambda run: run["sessions"][0].update(ended=None))
    again = ["claims=[{claim: one, scenario: top-k, metric: ndcg@10, model: random, at_least: 0}]"]
    genrec_eval.run("quickstart", out=path, quiet=True, report=False, limit=30, only=["random"], sets=again)
    said = dict(audited(path).deviations)
    assert "Interrupted and resumed 1 time" in said
    assert {"The claims changed after the first session", "The seed changed between sessions"} <= set(said)
    genrec_eval.run("quickstart", out=path, quiet=True, report=False, limit=30, only=["random"], fresh=True)
    said = dict(audited(path).deviations)
    assert "run~1" in said["An earlier run was set aside (--fresh)"]
    assert "The seed changed between sessions" not in said
    beside = audited(path, against=tmp_path / "run~1")
    assert "The claims are not those of the earlier run" in dict(beside.deviations)
    steps = {title: (command, note) for title, command, note in beside.provenance.commands}
    assert list(steps)[:4] == ["Install", "Data: world", "Play the earlier run again", "Play this run again"]
    assert steps["Install"][0].startswith("pip install genrec-eval==")
    assert "nothing to fetch, the run makes them; their digest must be" in steps["Data: world"][1]
    assert steps["Play the earlier run again"][0].endswith("--out earlier")
    assert steps["Make this page again"][0] == "genrec-eval report RUN --against EARLIER"
    assert "EARLIER that of the earlier run" in beside.provenance.folders


def test_scope_and_parties_change_no_id(tmp_path: Path) -> None:
    more = ["audit={purpose: another}"]
    runs = [
        genrec_eval.run(
            "quickstart", out=tmp_path / name, quiet=True, report=False, limit=5, only=["random"], sets=sets
        )
        for name, sets in (("a", []), ("b", more))
    ]
    assert runs[0].results.run == runs[1].results.run


def test_a_trade_off_needs_a_paired_difference(copied: Path) -> None:
    traded = audited(copied).tradeoffs
    assert [(one.first, one.second) for one in traded.trades] == [("random", "stutterer")]
    trade = traded.trades[0]
    assert trade.flawed
    assert [title for title, _ in trade.gains] == ["Duplicate@10"]
    assert "NDCG@10" in {title for title, _ in trade.losses}
    (said,) = [text for text in traded.dominated if text.startswith("popularity is worse than item-knn on")]
    assert "NDCG@10" in said
    assert said.endswith("and better on none of the metrics meant here.")
    criteria = traded.criteria[0]
    assert criteria.claimed == ("NDCG@10", "Duplicate@10")
    assert "Coverage@10" in criteria.undirected

    def unclear(document: dict[str, Any]) -> None:
        for row in document["estimates"]:
            if row["baseline"] is not None:
                row["p_adjusted"] = 0.4

    traded = audited(changed(copied, unclear, "estimates.json")).tradeoffs
    assert not traded.trades
    assert not traded.dominated
    assert traded.compared == 6


def test_definitions_say_range_direction_traps_and_an_example(quickstart: Path) -> None:
    rows = {one.metric: dict(one.rows) for one in audited(quickstart).definitions}
    assert rows["ndcg@10"]["Range"] == "0 to 1"
    assert rows["duplicate@10"]["Range"] == "0 % to 100 %"
    assert rows["popularity@10"]["Range"] == "at least 0"
    assert rows["duplicate@10"]["Direction"] == "lower is better"
    assert rows["invalid@10"]["Known traps"] == "none recorded"
    # 1 / log2(3) of a hit at rank 2, over 1 + 1 / log2(3) for two relevant items
    assert rows["ndcg@10"]["Worked example"].endswith("ndcg@10 is 0.3869.")
    assert rows["duplicate@10"]["Worked example"].endswith("duplicate@10 is 25 %.")
    assert all(
        {"Formula", "Range", "Direction", "Known traps", "Source"} <= set(row) for row in rows.values()
    )


def test_hand_made_runs_without_records_are_read_too(copied: Path) -> None:
    (copied / "run.json").write_text("{}")
    found = audited(copied)
    assert found.unrecorded == ""
    assert found.provenance.commands[0][1] == "pip install genrec-eval"
    assert found.provenance.commands[1][1] == "genrec-eval run SUITE --out replay"
    assert Results.load(copied).run == found.signing.run


def test_trade_offs_say_which_told_apart_differences_do_not_count(copied: Path) -> None:
    def differ(document: dict[str, Any]) -> None:
        for row in document["estimates"]:
            pair = (row["model"], row["baseline"], row["metric"], row["slice"])
            if pair == ("item-knn", "popularity", "peeking@10", "all"):
                row |= {"value": 0.02, "low": 0.01, "high": 0.03, "p": 0.001, "p_adjusted": 0.001}

    traded = audited(changed(copied, differ, "estimates.json")).tradeoffs
    assert "popularity has the lower Peeking@10, and item-knn passes that check too" in traded.excluded
    assert all("item-knn" not in text.split(" on ")[1] for text in traded.dominated)


def test_a_flaw_that_was_planted_and_found_is_evidence_on_the_measures(copied: Path) -> None:
    def rows(directory: Path) -> dict[str, Any]:
        return {row.row.id: row for mapped in audited(directory).frameworks for row in mapped.rows}

    assert rows(copied)["MEASURE 2.13"].state == "partial"  # found by its own measure, whatever was expected

    def calm(document: dict[str, Any]) -> None:
        for row in document["verdicts"]:
            row["verdict"] = "PASS"

    changed(copied, calm, "estimates.json")
    assert rows(copied)["MEASURE 2.13"].state == "none"
    missing = rows(copied)["MEASURE 1.1"]
    assert missing.state == "partial"
    assert "each area of risk tested, or a reason why it is not" in missing.missing


def test_a_risk_of_groups_that_is_not_tested_names_the_verdicts_on_groups(copied: Path) -> None:
    risk = {"risk": "Small groups are served worse", "why_not": "too few users"}
    changed(copied, lambda run: run["suite"].update(audit={"risks": [risk]}))

    def on_a_group(document: dict[str, Any]) -> None:
        document["verdicts"][0] |= {"slice": "activity=low", "verdict": "PASS"}

    before = {row.title: row for row in audited(copied).risks}
    assert before[risk["risk"]].why == "too few users"
    after = {row.title: row for row in audited(changed(copied, on_a_group, "estimates.json")).risks}
    row = after[risk["risk"]]
    assert row.state == "NOT TESTED"
    assert [(words.endswith(": PASS"), anchor) for words, anchor in row.found] == [(True, "#answer")]
    assert "At odds with this: 1 verdict on a group of people speaks of it" in row.why
    assert "'Small groups are served worse' is not tested" in after["Fairness to users"].why


def test_every_interval_of_the_run_is_explained_with_its_resamples(quickstart: Path) -> None:
    found = audited(quickstart).methods
    occurring = {row.interval for row in Results.load(quickstart).estimates if row.interval}
    assert {row.name for row in found.rows} == occurring
    told = {row.name: row.sentence for row in found.rows}
    assert "10,000 times" in told["bootstrap-bca"]
    assert told["wilson"].endswith("No resamples")
    assert not any("as the definition of its metric says" in sentence for sentence in told.values())
    assert "each end is to be missed in 2.5 % of runs" in found.sentence
