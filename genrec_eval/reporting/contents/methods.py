"""How the intervals of this run were made: the methods that occur in it, with their numbers of resamples."""

from __future__ import annotations

from dataclasses import dataclass

from genrec_eval.audit.families import level_words
from genrec_eval.core.numbers import count, exact
from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.contents.ground import Ground
from genrec_eval.reporting.text import line, listing, plural

_METHODS = {
    "bootstrap-bca": (
        "Bootstrap, BCa",
        "units are drawn again with replacement, {resamples}; bias and skew of the resampled values are"
        " corrected (Efron 1987), and the interval is widened as Student's t is",
    ),
    "bootstrap-percentile": (
        "Bootstrap, percentiles",
        "units are drawn again with replacement, {resamples}; the ends are percentiles of the resampled"
        " values, widened as Student's t is. For scores on both sides of 0, as differences of two models on"
        " the same units are",
    ),
    "bootstrap-two-level": (
        "Bootstrap of clusters",
        "clusters of scores and then scores within them are drawn again with replacement",
    ),
    "wilson": (
        "Wilson's interval",
        "for shares of units that are each yes or no: all shares that a score test does not refuse"
        " (Wilson 1927). No resamples",
    ),
    "constant": (
        "All units agree",
        "where every unit has the same score nothing can be resampled; the end is the value that units of"
        " another kind could give without one of them being met (exact binomial). No resamples",
    ),
    "jackknife": (
        "Jackknife",
        "for figures of the whole run, which no mean over units gives: from what the figure loses without"
        " each unit. No resamples",
    ),
    "t": (
        "Student's t",
        "from the standard error over the units, where they are too few to resample or so many that it makes"
        " no difference. No resamples",
    ),
    "welch": (
        "Welch's interval",
        "for two groups of different units, from both standard errors. No resamples",
    ),
    "welch-log": (
        "Welch's interval of a ratio",
        "for two groups of different units, on the logarithm of the ratio of their values. No resamples",
    ),
    "simultaneous-t": (
        "All pairs at once",
        "for the highest less the lowest of several means, or the farthest of several shares: Student's t of"
        " every pair or share, at a level that holds for all of them together (Bonferroni). Such a figure has"
        " a floor above 0 even where all are alike, which resampling would raise. No resamples",
    ),
    "simultaneous-t-log": (
        "All pairs at once, as ratios",
        "for the greatest ratio between groups: the same on the logarithms. No resamples",
    ),
    "simultaneous-f": (
        "All means at once",
        "for how far several means of the same units spread: it is off by at most the length of the error of"
        " all of them together, whose square is close to a multiple of F (Satterthwaite). No resamples",
    ),
    "inverted-t": (
        "Distance with its noise",
        "for a distance that noise alone raises above 0: all distances under which one as seen would not be"
        " surprising. No resamples",
    ),
    "sandwich": ("Sandwich", "from the error of the fitted model that allows for its faults. No resamples"),
}
_FITTED = "estimated from all units at once"


@dataclass(frozen=True, slots=True)
class Method:
    """One way in which intervals of this run were made."""

    name: str
    title: str
    figures: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Methods:
    """All of them, and what they share."""

    sentence: str
    rows: tuple[Method, ...]


def methods(on: Ground) -> Methods:
    """The methods that occur in a run, the most frequent first."""
    found: dict[str, list[Estimate]] = {}
    for row in on.results.estimates:
        if row.interval:
            found.setdefault(row.interval.partition(", ")[0], []).append(row)
    levels = sorted({row.level for row in on.results.estimates})
    ends = " and ".join(f"{exact(100 * one)} %" for one in levels)
    missed = " and ".join(f"{exact(round(50 * (1 - one), 6))} %" for one in levels)
    seed = f" The seed of all draws is {on.run['seed']}." if isinstance(on.run.get("seed"), int) else ""
    without = sum(row.interval is None for row in on.results.estimates)
    said = f"Intervals are two-sided, at {ends}: each end is to be missed in {missed} of runs."
    said += " The method follows from the scores alone, and p-values are by the method of their interval."
    said += seed + (
        f" {plural(without, 'figure has', 'figures have')} no interval; each says why." if without else ""
    )
    said += _families(on) + _adjustments(on)
    ranked = sorted(found.items(), key=lambda pair: -len(pair[1]))
    return Methods(said if found else "", tuple(_method(on, name, rows) for name, rows in ranked))


def _families(on: Ground) -> str:
    """What the claims of each family are held to."""
    sizes = {row.family: row.family_size for row in on.results.verdicts if row.family is not None}
    levels = {row.family: row.level for row in on.results.verdicts if row.level is not None}
    said = [
        f"{line(name, 64)} ({plural(size or 1, 'claim')}"
        + (f", each at {level_words(levels[name] or 0.0)})" if name in levels else ")")
        for name, size in sizes.items()
    ]
    if not said:
        return ""
    return (
        f" Claims of one family are held to intervals that hold together (Bonferroni): {listing(said)}. A"
        " claim that could not be run still counts."
    )


def _adjustments(on: Ground) -> str:
    """How the p-values of tests that are no paired differences were adjusted."""
    rows = [row for row in on.results.estimates if row.baseline is None and row.adjustment]
    words = list(dict.fromkeys(line(row.adjustment or "", 120) for row in rows))
    if not words:
        return ""
    return f" {plural(len(rows), 'test')} of a figure's own: p after {listing(words[:8])}" + (
        f" and {len(words) - 8} more families." if len(words) > 8 else "."
    )


def _method(on: Ground, name: str, rows: list[Estimate]) -> Method:
    title, sentence = _METHODS.get(name, (line(name, 60), "as the definition of its metric says"))
    sentence = sentence.replace("{resamples}", _resamples(on, rows))
    return Method(name, title, plural(len(rows), "figure"), sentence[0].upper() + sentence[1:])


def _resamples(on: Ground, rows: list[Estimate]) -> str:
    """``"10,000 times"``: how often a figure over so many units was resampled."""
    from genrec_eval.stats.bootstrap import REFITS
    from genrec_eval.stats.resample import replicates_for

    drawn = {
        REFITS
        if str(on.results.definition(row.metric).get("made") or "").startswith(_FITTED)
        else replicates_for(row.n)
        for row in rows
    }
    least, most = min(drawn), max(drawn)
    return (
        f"{count(most)} times"
        if least == most
        else f"{count(least)} to {count(most)} times, by number of units"
    )
