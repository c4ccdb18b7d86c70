"""What must not be concluded: only what follows from the facts of this run, each with its cause."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from genrec_eval.core.numbers import count, figure
from genrec_eval.protocol.results import Estimate, Ruling
from genrec_eval.reporting.caution import cautions, denied, doubts
from genrec_eval.reporting.claimed import full_claim, units
from genrec_eval.reporting.compare import differences, stays_clear
from genrec_eval.reporting.contents.coverage import known_whole
from genrec_eval.reporting.contents.ground import Ground
from genrec_eval.reporting.facts import gone
from genrec_eval.reporting.judged import is_judged
from genrec_eval.reporting.results import mapping
from genrec_eval.reporting.text import line, listing, plural

SMALL = 100
"""Fewer units than this in a scenario are told."""
_RANKED = frozenset(
    {"ndcg", "recall", "precision", "f1", "hit_rate", "mrr", "map", "r_precision", "auc", "gauc"}
)


@dataclass(frozen=True, slots=True)
class Limit:
    """A conclusion that must not be drawn, and the fact of the run that forbids it."""

    sentence: str
    cause: str


def limits(on: Ground) -> list[Limit]:
    """Every limit that applies to this run, the widest first."""
    found = [
        *_data(on),
        *_models(on),
        *_asked(on),
        *_ranking(on),
        *_judges(on),
        *_statistics(on),
        *_comparisons(on),
    ]
    return list({limit.sentence: limit for limit in found}.values())


def _data(on: Ground) -> Iterator[Limit]:
    declared = mapping(on.suite.get("data"))
    worlds = [name for name, facts in declared.items() if mapping(facts).get("dataset") == "synthetic"]
    worlds += [n for n, facts in on.data.items() if "ynthetic" in str(facts.get("name")) and n not in worlds]
    if worlds:
        yield Limit(
            "The data are simulated: the figures show that the measuring works and how these models behave in"
            " that world. They say nothing of real users.",
            f"data set {listing([line(name, 60) for name in worlds])} is synthetic",
        )
    for name, facts in on.data.items():
        for warning in mapping(facts.get("facts")).get("warnings") or ():
            yield Limit(f"Data set {line(name, 60)}: {line(warning, 1000)}.", "a warning of its loader")
    if on.stated and not on.audit.population:
        yield Limit(
            "Whom the tested units stand for is not stated, so the figures are about these units alone.",
            "audit.population is missing",
        )
    elif not on.stated:
        yield Limit(
            "The suite states neither purpose nor population: the figures are about the units that were"
            " asked, and whether they suit a decision is the reader's to judge.",
            "the suite has no audit section",
        )


def _models(on: Ground) -> Iterator[Limit]:
    if on.flaws:
        names = listing([line(name, 60) for name in on.flaws])
        one = len(on.flaws) == 1
        yield Limit(
            f"{names} {'is a model' if one else 'are models'} made to fail: what is found there shows that"
            " the measures find it, and is no finding about any product.",
            "planted: " + "; ".join(f"{line(name, 60)}, {line(flaw, 60)}" for name, flaw in on.flaws.items()),
        )
    replayed = [name for name, facts in on.models.items() if facts.get("adapter") in ("replay", "logged")]
    if replayed:
        names = listing([line(name, 60) for name in replayed])
        yield Limit(
            f"The answers of {names} were recorded earlier: the system that gave them was not asked, and may"
            " answer otherwise today.",
            "adapter replay or logged",
        )
    repeats = {name: facts.get("repeats") or 1 for name, facts in on.models.items()}
    if repeats and max(repeats.values()) == 1:
        yield Limit(
            "Every case was put once: how much an answer changes when the same is asked again is not known.",
            "repeats: 1",
        )
    if on.run.get("seed") is not None and repeats:
        yield Limit(
            "The intervals carry the chance of which units were asked. They do not carry the chance of"
            " another training, another split or another date.",
            f"one seed ({on.run['seed']}), one play",
        )


def _asked(on: Ground) -> Iterator[Limit]:
    scenarios = on.results.scenarios()
    kinds = listing(list(dict.fromkeys(kind for kind in on.kinds.values() if kind))) or "none"
    yield Limit(
        f"Nothing beyond {plural(len(scenarios), 'scenario')} was asked"
        f" ({listing(scenarios) or 'none'}): the report is silent on every other kind of request.",
        f"kinds of scenario that were played: {kinds}",
    )
    if on.run.get("limit") is not None or on.run.get("only"):
        yield Limit(
            "Only a part of the suite was asked: a claim that holds here is not shown for the whole of it.",
            "run with " + " and ".join(key for key in ("--limit", "--only") if on.run.get(key[2:])),
        )
    for name, facts in on.scenarios.items():
        if name not in on.kinds:
            continue
        left = {key: n for key, n in mapping(facts.get("excluded_users")).items() if isinstance(n, int) and n}
        if left:
            yield Limit(
                f"{plural(sum(left.values()), 'user')} of {name} could not be asked about: how they are"
                " served is not in any figure.",
                ", ".join(gone(facts)),
            )
        leaked = facts.get("leaked_interactions")
        if isinstance(leaked, int) and leaked:
            yield Limit(
                f"In {name} the training knows interactions that are later than what is asked, as no model in"
                " use can: figures are too good, and some models gain more from it than others.",
                f"{count(leaked)} of {count(facts.get('train'))} training interactions,"
                f" {line(facts.get('method') or 'split', 60).replace('-', ' ')}",
            )
        elif str(facts.get("method") or "").startswith(("random", "leave")) and "temporal" not in str(
            facts.get("method")
        ):
            yield Limit(
                f"{name} was split without regard to time: figures there say nothing of what a model does"
                " with tomorrow's interactions.",
                f"{line(facts['method'], 60).replace('-', ' ')} split",
            )


def _ranking(on: Ground) -> Iterator[Limit]:
    places = sorted({place for name in _RANKED for place in on.valued.get(name, ())})
    if places:
        yield Limit(
            "Accuracy counts held-out choices that were found. An item that nobody had the chance to choose"
            " counts as a miss, so the figures are no rate of satisfied people.",
            f"ranking metrics in {listing(places)}",
        )
    for name, facts in on.scenarios.items():
        candidates = line(facts.get("candidates") or "", 200)
        if name in on.kinds and candidates and not candidates.startswith("the whole catalogue"):
            yield Limit(
                f"{name} ranks among candidates that were chosen for it: its figures are higher than over the"
                " whole catalogue, and may order models otherwise.",
                candidates,
            )


def _judges(on: Ground) -> Iterator[Limit]:
    judges = {str(name): mapping(facts) for name, facts in mapping(on.run.get("judges")).items()}
    rules = [name for name, facts in judges.items() if facts.get("adapter") == "reference"]
    if rules:
        yield Limit(
            f"What {listing(rules)} says comes from rules over texts and facts: it is neither the word of"
            " people nor of a language model.",
            "judge with adapter reference",
        )
    unheld = [name for name in judges if not {"human_agreement", "judge_accuracy"} & set(on.valued)]
    if unheld:
        yield Limit(
            f"How far {listing(unheld)} {'agrees' if len(unheld) == 1 else 'agree'} with people is not known:"
            " no person judged the same answers.",
            "no annotations in the run",
        )
    families = {
        name: family
        for name, facts in on.models.items()
        if (family := family_of(mapping(facts.get("identity")).get("model")))
        and facts.get("adapter") != "reference"
    }
    for judge, facts in judges.items():
        own = family_of(mapping(facts.get("identity")).get("model"))
        kin = [name for name, family in families.items() if family == own and judge not in rules]
        if own and kin:
            yield Limit(
                f"Judge {judge} is of the family of {listing(kin)}: models tend to prefer texts of their own"
                " kind, so its figures for them are not comparable with those for others.",
                f"both are called {own}…",
            )
    for name in sorted({row.metric for row in on.results.estimates}):
        definition = on.results.definition(name)
        judge = str(mapping(definition.get("parameters")).get("judge") or "")
        if is_judged(definition) and judge in judges and judges[judge].get("planted"):
            yield Limit(
                f"Judge {judge} has a planted flaw: its figures show whether audits of judges find it.",
                f"planted: {line(judges[judge]['planted'], 60)}",
            )
            break


def family_of(model: object) -> str:
    """The family of a model by its name: the letters before the first number, after any owner.

    >>> family_of("openai/gpt-4o-mini"), family_of("Llama-3.1-8B"), family_of(None)
    ('gpt', 'llama', '')
    """
    if not isinstance(model, str):
        return ""
    match = re.match(r"[a-z]+", model.rpartition("/")[2].lower())
    return match[0] if match else ""


def _statistics(on: Ground) -> Iterator[Limit]:
    rows = [row for row in on.results.estimates if row.low is not None]
    whole = [row for row in rows if row.slice == "all" and row.baseline is None]
    if len(rows) > 20:
        level = rows[0].level
        missing = round(len(rows) * (1 - level))
        yield Limit(
            f"Each interval is right by itself in {100 * level:g} % of runs; among all {count(len(rows))} of"
            f" this report about {count(missing)} may miss. A remarkable figure that no claim had named is a"
            " reason to look again, not a finding.",
            f"{count(len(rows))} intervals at {100 * level:g} %",
        )
    few: dict[str, int] = {}
    for row in whole:
        few[row.scenario] = max(few.get(row.scenario, 0), row.n)
    for scenario, n in few.items():
        if n < SMALL:
            yield Limit(
                f"{scenario} rests on {plural(n, 'unit')}: its intervals are wide, and a rare failure may not"
                " have been met at all.",
                f"{n} units; a failure in 1 of {n} cases is missed by such a run in about a third of cases"
                if n
                else "no unit was scored",
            )
    groups = {row.slice.partition("=")[0] for row in on.results.estimates if row.slice != "all"}
    if not groups:
        yield Limit(
            "No figure is given for any group of people: that all are served alike is not shown.",
            "no groups in the cases",
        )
    hidden = {
        row.slice
        for row in on.results.estimates
        if row.slice != "all" and row.baseline is None and row.value is None and known_whole(on, row)
    }
    if hidden:
        yield Limit(
            f"{plural(len(hidden), 'group has', 'groups have')} figures that are not shown, for want of units"
            " or scores: a loss there would not be seen.",
            listing(
                [line(name, 60) for name in sorted(hidden)[:6]] + (["others"] if len(hidden) > 6 else [])
            ),
        )
    bare = sorted(
        {row.metric for row in on.results.estimates if row.value is not None and row.low is None and row.n}
    )
    if bare:
        yield Limit(
            f"{listing([on.results.title(name) for name in bare[:6]])} {'has' if len(bare) == 1 else 'have'}"
            " no interval somewhere, and such a value is withheld: it could be anything that chance allows.",
            "no interval could be computed",
        )


def _comparisons(on: Ground) -> Iterator[Limit]:
    undecided = [row for row in on.results.verdicts if row.verdict in (Ruling.INSUFFICIENT, Ruling.NOT_RUN)]
    if undecided:
        yield Limit(
            "INSUFFICIENT and NOT-RUN are not a pass: nothing was shown either way.",
            f"{plural(len(undecided), 'verdict')} of that kind",
        )
    yield from _cautioned(on)
    for scenario in on.results.scenarios():
        pairs = [row for row in differences(on.results, scenario) if row.low is not None]
        unclear = [row for row in pairs if not stays_clear(row)]
        if not unclear:
            continue
        worst = _widest(on, unclear)
        yield Limit(
            f"In {scenario} {count(len(unclear))} of {plural(len(pairs), 'paired difference')} cannot be told"
            f" from zero. That shows no equality{worst}; “no difference” may be claimed only inside a margin"
            " that was set beforehand.",
            "intervals that hold zero after Holm's adjustment",
        )
    if len({row.definition for row in on.results.estimates}) > 1:
        yield Limit(
            "Two figures may be compared only where their definitions are equal, cutoff and parameters"
            " included, and with figures of other reports only where data and split are the same besides.",
            f"{plural(len({row.definition for row in on.results.estimates}), 'definition')} on this page",
        )


def _cautioned(on: Ground) -> Iterator[Limit]:
    """Claims and rules of the gate that came to something and are to be read with care."""
    for row, said in cautions(on.results, on.run).items():
        yield Limit(
            f"“{line(row.claim, 200)}” came to {row.verdict.value} for {line(row.model, 60)}, and may not be"
            f" relied on as the others are. {said}",
            f"{full_claim(on.results, row)}, {units(on.results, row) or 'no figure'}",
        )
    against = denied(on.run, (str(row.get("slice") or "all") for row in on.gate_rows))
    for rule in on.gate_rows:
        slice, n = line(rule.get("slice") or "all", 60), rule.get("n")
        if rule.get("verdict") not in (Ruling.PASS, Ruling.FAIL) or not isinstance(n, int):
            continue
        if said := doubts(against, slice, n):
            whom = f"{line(rule.get('model') or '', 60)}{'' if slice == 'all' else f' for {slice}'}"
            title = line(rule.get("rule") or "", 200)
            yield Limit(
                f"The gate's rule “{title}” came to {rule['verdict']} for {whom}, and may not be relied on as"
                f" the others are. {said}",
                f"a rule of the gate, n {count(n)}",
            )


def _widest(on: Ground, rows: list[Estimate]) -> str:
    """The claimed metric's detectable difference, else that of the first metric."""
    claimed = {row.metric for row in on.results.verdicts if row.gate}
    named = [row for row in rows if row.detectable and (row.metric in claimed or not claimed)]
    named = named or [row for row in rows if row.detectable]
    if not named:
        return ""
    metric = named[0].metric
    size = max(row.detectable or 0.0 for row in named if row.metric == metric)
    shown = figure(size, size * 0.95, size * 1.05, unit=on.results.unit(metric))
    unit = " %" if shown.unit == "%" else ""
    return f": in {on.results.title(metric)}, differences below {shown.value}{unit} would often go unseen"
