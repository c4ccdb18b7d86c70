"""The same facts in the language of four readers: one sentence each, with which their view begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from genrec_eval.core.numbers import count
from genrec_eval.protocol.results import Verdict
from genrec_eval.reporting.answer import Outcome, as_planted, expected, outcome, place, rule, worst_first
from genrec_eval.reporting.claimed import figure_of
from genrec_eval.reporting.compare import best
from genrec_eval.reporting.facts import moment
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.text import line, listing, plural

_MOST = 3
"""Names in a sentence."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a view is for, and the sentence that it begins with."""

    key: str
    name: str
    sentence: str

    @property
    def order(self) -> tuple[str, ...]:
        """What follows the answer in this view, as selectors; the rest comes after it as it stands."""
        return _ORDERS[self.key]


_ORDERS = {
    "engineer": (
        "#tested", "#matrix", "#comparison", "#gate", "#instances", ".scenario", "#definitions",
        "#provenance",
    ),
    "owner": ("#tested", "#gate", "#tradeoffs", "#limits", "#comparison", "#matrix"),
    "user": ("#tested", "#coverage", "#limits", "#instances", "#definitions"),
    "regulator": (
        "#tested", "#scope", "#coverage", "#frameworks", "#limits", "#deviations", "#definitions",
        "#provenance", "#review",
    ),
}  # fmt: skip
"""Reader → parts of the page: what was and was not tested stands right after the answer in every view."""


def readers(material: Material) -> list[Reader]:
    """The four readers, in the order in which they can be chosen."""
    results = material.results
    flaws = material.flaws
    found = [row.gate and _found(row, flaws) for row in results.verdicts]
    rest = (row for row, one in zip(results.verdicts, found, strict=True) if row.gate and not one)
    kept = _tally(Counter(map(outcome, rest)), sum(found))
    return [
        Reader("engineer", "an engineer", _engineer(results, flaws)),
        Reader("owner", "a product owner", _owner(results, kept)),
        Reader("user", "an end user", _user(results, kept)),
        Reader("regulator", "a regulator", _regulator(material, kept)),
    ]


def _found(row: Verdict, flaws: Mapping[str, str]) -> bool:
    """Whether a claim found what was planted, whether it expected to or not: it promises nothing."""
    return as_planted(row, flaws) or (row.model in flaws and outcome(row) is Outcome.CAUGHT)


def _engineer(results: Results, flaws: Mapping[str, str]) -> str:
    known = expected(results.verdicts)
    red = [
        row
        for row in worst_first(results.verdicts)
        if not as_planted(row, flaws)
        and (
            outcome(row) in (Outcome.FAILED, Outcome.MISSED)
            or (outcome(row) is Outcome.FINDING and place(row) not in known)
        )
    ]
    planted = any(as_planted(row, flaws) for row in results.verdicts)
    nothing = "No system failed, only models with a planted flaw" if planted else "Nothing failed"
    if not red:
        open_ = [row for row in results.verdicts if row.gate and outcome(row) is Outcome.UNDECIDED]
        if open_:
            return f"{nothing}; begin with what could not be decided: {_claim(open_[0], results)}."
        return (
            f"{nothing if planted else 'Nothing failed that was not meant to'};"
            " what is left to read are the differences between models"
            " and what stands out by group."
        )
    more = (
        f" {plural(len(red) - 1, 'more of its kind follows', 'more of its kind follow')}." if red[1:] else ""
    )
    return f"Begin with {_claim(red[0], results)}.{more}"


def _claim(row: Verdict, results: Results) -> str:
    shown = figure_of(results, row)
    of = "" if row.slice == "all" else f" for {line(row.slice, 80)}"
    said = f"{line(results.title(row.metric), 120)} of {line(row.model, 80)}{of} in {line(row.scenario, 80)}"
    return f"{said}: {shown}, asked {rule(row, results)}"


def _owner(results: Results, kept: str) -> str:
    wins: Counter[str] = Counter()
    ranked = 0
    for scenario in results.scenarios():
        for metric in results.metrics(scenario):
            tops = best(results, scenario, metric)
            ranked += bool(tops)
            if len(tops) == 1:
                wins.update(tops)
    models = {row.model for row in results.estimates}
    leaders = [f"{line(name, 80)} on {n}" for name, n in wins.most_common(_MOST)]
    first = f"Of {plural(len(models), 'model')}, "
    if leaders:
        leaders[0] = leaders[0].replace(" on ", " is shown to be better than all others on ")
        first += listing(leaders) + f" of {plural(ranked, 'figure')} that tell them apart"
    else:
        first += "none is shown to be better than all others on any figure"
    return f"{first}; of what the suite promises, {kept}."


def _user(results: Results, said: str) -> str:
    attempted = sum(row.attempted for row in results.coverage)
    answered = sum(row.answered for row in results.coverage)
    asked = (
        f"These systems were asked {plural(attempted, 'question')} and answered {count(answered)}"
        if attempted
        else "These systems were not asked anything"
    )
    kept = f"of what was promised about them, {said}"
    return f"{asked}; {kept}. None of it says how any one person was served."


def _regulator(material: Material, kept: str) -> str:
    results = material.results
    when = moment(material.run.get("finished") or material.run.get("created"))[:10]
    models = {row.model for row in results.coverage if row.state != "not-run"} or {
        row.model for row in results.estimates
    }
    asked = plural(len(results.scenarios()), "kind of request", "kinds of request")
    start = f"On {when}, " if when else ""
    said = f"{start}{plural(len(models), 'system')} {'was' if len(models) == 1 else 'were'} asked {asked}"
    said = said[0].upper() + said[1:]
    return (
        f"{said}; of the claims laid down in the suite, {kept}."
        " This is evidence on those claims, and no finding that a law is met."
    )


def _tally(claims: Counter[Outcome], planted: int) -> str:
    """``"1 failed, 1 could not be decided and 2 hold"``; what failed in controls stands apart."""
    words = (
        (claims[Outcome.FAILED] + claims[Outcome.MISSED], "failed", "failed"),
        (claims[Outcome.UNDECIDED], "could not be decided", "could not be decided"),
        (claims[Outcome.NOT_RUN], "was not run", "were not run"),
        (claims[Outcome.HOLDS] + claims[Outcome.CAUGHT], "holds", "hold"),
    )
    said = [f"{count(n)} {one if n == 1 else many}" for n, one, many in words if n]
    told = listing(said) or "there is nothing to hold"
    failed = f"{count(planted)} more, about models with a planted flaw, found it"
    return f"{told} ({failed})" if planted else told
