"""Everything that the report template shows, in the order of the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting import facts
from genrec_eval.reporting.answer import (
    RED,
    answers,
    as_planted,
    expected,
    only_foreseen,
    outcome,
    place,
    purpose_of,
    quiet,
    remarks,
    worst_first,
)
from genrec_eval.reporting.caution import cautions
from genrec_eval.reporting.claimed import controls, simulated, to_be_had
from genrec_eval.reporting.controlled import controlled
from genrec_eval.reporting.distributions import distributions
from genrec_eval.reporting.gaps import not_tested, not_tested_groups
from genrec_eval.reporting.groundings import TIERS, groundings
from genrec_eval.reporting.page.detail import rows_by_metric
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.page.parts import parts
from genrec_eval.reporting.page.readers import readers
from genrec_eval.reporting.page.ruled import Telling, folds, published, ruled
from genrec_eval.reporting.page.section import Section, section
from genrec_eval.reporting.pieces import FLAG, VERDICTS
from genrec_eval.reporting.reproduced import folded, reproduced
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.svg import definitions, key
from genrec_eval.reporting.text import visible


def page(material: Material) -> dict[str, Any]:
    """Assemble everything that the template shows."""
    results, run, directory = material.results, material.run, material.directory
    order, flaws = list(material.order), material.flaws
    had = to_be_had(run)
    told_alone = (verdict for verdict in worst_first(results.verdicts) if not folded(verdict))
    planted, warned = controlled(results, flaws), cautions(results, run)
    telling = Telling(results, order, flaws, planted, warned, had)
    told = {id(v): ruled(telling, v) for v in worst_first(results.verdicts)}
    rows = [told[id(verdict)] for verdict in told_alone]
    by_metric = rows_by_metric(results)
    known = expected(results.verdicts)
    foreseen = [row for row in rows if not row.verdict.gate and place(row.verdict) in known]
    spread = distributions(directory / "scores.parquet")
    grounded = groundings(directory)
    suite = mapping(run.get("suite"))
    head, body = facts.play(run)
    metrics = list(dict.fromkeys(row.metric for row in results.estimates))
    sections = [
        section(material, scenario, number, by_metric, list(told.values()), spread, grounded)
        for number, scenario in enumerate(results.scenarios(), 1)
        if results.metrics(scenario)
    ]
    return {
        "shapes": definitions(),
        "run": results.run,
        "footer": "".join(letter for letter in results.run if letter.isalnum() or letter in "-_.")[:60],
        "name": str(suite.get("name") or results.run),
        "about": str(suite.get("description") or ""),
        "when": facts.moment(run.get("finished") or run.get("created")),
        "answers": answers(results, flaws, purpose=purpose_of(run), warned=warned),
        "alarms": [one.alarm for one in planted.values() if one.missed],
        "simulated": simulated(run),
        "remarks": remarks(results),
        "verdicts_of_claims": [*VERDICTS.values(), FLAG],
        "cards": [
            row
            for row in rows
            if outcome(row.verdict) in RED and row not in foreseen and not as_planted(row.verdict, flaws)
        ],
        "controls": [row for row in rows if row.control and row not in foreseen],
        "rest": [row for row in rows if outcome(row.verdict) not in RED and not quiet(row.verdict)],
        "reproduced": [published(results, fold) for fold in reproduced(results.verdicts)],
        "quiet": folds(
            [*foreseen, *(row for row in rows if quiet(row.verdict))],
            results,
            had,
            f"found what a claim {'expects' if only_foreseen(results.verdicts, known) else 'tells'}",
        ),
        "several": len(results.scenarios()) > 1,
        "models": {name: position for position, name in enumerate(order)},
        "keys": {name: key(position) for position, name in enumerate(order)},
        "flaws": flaws,
        "readers": readers(material),
        "tested": facts.tested(results, run),
        "untested": not_tested(results),
        "untested_groups": not_tested_groups(results),
        "sections": sections,
        "led": _led(results, suite),
        "definitions": [(m, results.title(m), results.definition(m)) for m in metrics],
        "anchors": {m: f"d{number}" for number, m in enumerate(metrics, 1)},
        "titles": {m: results.title(m) for m in [*metrics, *(row.metric for row in results.verdicts)]},
        "places": {(s.name, metric): cell for s in sections for metric, cell in s.cells.items()},
        "text_places": _text_places(sections),
        "tiers": TIERS,
        "br": Markup("<br>"),
        "headed": _headed,
        "play_head": head,
        "play_body": body,
        **parts(material),
    }


def material_of(results: Results, run: Mapping[str, Any], directory: Path, **more: Any) -> Material:
    """What the parts are made from; ``more`` are the other fields of :class:`Material`."""
    return Material(results, run, directory, results.models(), controls(results, run), **more)


def _led(results: Results, suite: Mapping[str, Any]) -> frozenset[str]:
    """Metrics that claims and rules of the gate are about, or that fail a check: what paper has in full."""
    found = {row.metric for row in results.verdicts if row.gate or row.verdict is Ruling.FAIL}
    rules = mapping(suite.get("gate")).get("rules") or ()
    found |= {str(rule.get("metric")) for rule in rules if isinstance(rule, dict)}
    return frozenset(found or {row.metric for row in results.estimates[:1]})


def _text_places(sections: list[Section]) -> dict[tuple[str, str], str]:
    """(scenario, model) → anchor of its texts."""
    return {
        (section.name, writer.model): f"{section.anchor}t{number}"
        for section in sections
        if section.texts is not None
        for number, writer in enumerate(section.texts.writers, 1)
    }


def _headed(title: str) -> Markup:
    """The title of a metric, which may break before its cutoff and among its parameters."""
    # Escaped first: no entity holds any of these signs.
    return Markup(re.sub(r"(?<=[(,=])|(?=@)", "<wbr>", str(escape(visible(title)))))
