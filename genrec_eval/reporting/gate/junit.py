"""The gate as JUnit XML, as GitLab, Jenkins and the test reporters of GitHub read it."""

from __future__ import annotations

from xml.etree import ElementTree

from genrec_eval.audit.gating.types import GateResult, GateRow
from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.gate.words import (
    asked_of,
    compared,
    figure_of,
    names,
    outcome,
    sentences,
    support,
    terms,
)
from genrec_eval.reporting.text import line, visible

_LONGEST = 4000


def junit(result: GateResult) -> str:
    """One test case a rule, and one a reason why the run is incomplete.

    FAIL is a failure; NOT-RUN and what is incomplete are errors; INSUFFICIENT is a failure where the suite
    lets it stop the gate, else skipped. Figures stand in the properties of the suite and in the text of each
    case, never in ``time``, which is a time.

    Returns
    -------
    str
        The document, with its declaration. Names are unique: GitLab reads only the first of a name.
    """
    cases = [_case(result, row, name) for row, name in names(result)]
    for number, said in enumerate(result.incomplete, 1):
        case = _element(
            "testcase", name=f"The run is complete #{number}", classname=_class(result, "run"), time="0"
        )
        _outcome(case, "error", "INCOMPLETE", said, [said])
        cases.append(case)
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": str(sum(case.find("error") is not None for case in cases)),
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
        "time": "0",
    }
    # The schemas in use know 'skipped' for a suite only.
    whole = {name: value for name, value in counts.items() if name != "skipped"}
    root = _element("testsuites", name="genrec-eval gate", **whole)
    suite = _element("testsuite", name=f"gate of {line(result.suite, 200)}", **counts)
    root.append(suite)
    suite.append(_properties(result))
    suite.extend(cases)
    out = _element("system-out")
    out.text = _text("\n".join([outcome(result).sentence, *result.warnings]))
    suite.append(out)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True).decode("utf-8") + "\n"


def _case(result: GateResult, row: GateRow, name: str) -> ElementTree.Element:
    case = _element("testcase", name=name, classname=_class(result, row.scenario), time="0")
    shown = figure_of(row)
    said = [
        f"{line(row.metric, 200)} {shown if shown.known else '—'}, asked {asked_of(row)}",
        *sentences(row),
        compared(row),
        "; ".join(support(row)),
        line(row.where or "", 500),
    ]
    if row.verdict is Ruling.FAIL:
        _outcome(case, "failure", "FAIL", row.reason, said)
    elif row.verdict is Ruling.NOT_RUN:
        _outcome(case, "error", "NOT-RUN", row.reason, said)
    elif row.verdict is Ruling.INSUFFICIENT:
        kind = "failure" if result.inconclusive == "fail" else "skipped"
        _outcome(case, kind, "INSUFFICIENT", row.reason, said)
    else:
        out = _element("system-out")
        out.text = _text("\n".join(filter(None, said)))
        case.append(out)
    return case


def _outcome(case: ElementTree.Element, kind: str, word: str, reason: str, said: list[str]) -> None:
    found = _element(kind, type=word, message=line(f"{word}: {reason}", 1000))
    found.text = _text("\n".join(filter(None, said)))
    case.append(found)


def _properties(result: GateResult) -> ElementTree.Element:
    """What the gate was made with, and the figures by the name of their case."""
    holder = _element("properties")
    rows = [(name, value) for name, value in terms(result)]
    for row, name in names(result):
        for key in ("value", "low", "high", "p", "p_adjusted", "detectable", "power"):
            value = getattr(row, key)
            if value is not None:
                rows.append((f"{name}: {key}", f"{value:.6g}"))
        rows.append((f"{name}: n", str(row.n)))
    for name, text in rows:
        holder.append(_element("property", name=name, value=line(text, 500)))
    return holder


def _class(result: GateResult, part: str) -> str:
    # The last dot parts package and class in Jenkins.
    return f"{line(result.suite, 100).replace('.', '_')}.{line(part, 100).replace('.', '_')}"


def _element(tag: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.Element(tag, {name: visible(value) for name, value in attributes.items()})


def _text(text: str) -> str:
    return visible(text[:_LONGEST])
