"""Small inline drawings: a dot with its whisker, a strip of bars, and the scale they share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from genrec_eval.core.numbers import fixed

HUES = 7
"""Categorical hues and marker shapes; models beyond them share the ink and repeat the shapes."""

MARKERS = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",  # disc
    "M-3.5-3.5h7v7h-7z",  # square
    "M0-4.4 4.4 3.4h-8.8z",  # triangle
    "M0-4.8 4.8 0 0 4.8-4.8 0z",  # diamond
    "M0 4.4 4.4-3.4h-8.8z",  # triangle, point down
    "M-1.5-4.2h3v2.7h2.7v3h-2.7v2.7h-3v-2.7h-2.7v-3h2.7z",  # plus
    "M0-4.6 1.3-1.5 4.5-1.4 2 .6 2.8 3.8 0 2-2.8 3.8-2 .6-4.5-1.4-1.3-1.5z",  # star
)


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale between two round numbers; positions are percent of the width."""

    low: float
    high: float
    step: float

    @classmethod
    def covering(cls, values: Iterable[float | None]) -> Scale:
        """The tightest round scale over all finite ``values``.

        >>> Scale.covering([0.013, 0.124])
        Scale(low=0.0, high=0.15, step=0.05)
        """
        known = [value for value in values if value is not None and math.isfinite(value)]
        low, high = (min(known), max(known)) if known else (0.0, 1.0)
        if max(abs(low), abs(high)) < 1e-9:  # what rounding leaves of zeros
            low = high = 0.0
        if high - low < 1e-9 * max(1.0, abs(high)):
            room = abs(high) * 0.1 or 0.5
            low, high = (low - room if low else 0.0), high + room
        rough = (high - low) / 3
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * (1 - 1e-9))
        floor, ceiling = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        return cls(round(floor * step, 12), round(ceiling * step, 12), step)

    def at(self, value: float) -> float:
        """Percent from the left, kept inside the frame with room for half a marker."""
        share = (value - self.low) / (self.high - self.low)
        return round(4 + 92 * min(1.0, max(0.0, share)), 1)

    def ends(self, unit: str = "") -> tuple[str, str]:
        """Labels of both ends."""
        factor = 100.0 if unit == "share" else 1.0
        places = min(6, max(0, -math.floor(math.log10(self.step * factor) + 1e-9)))
        return fixed(self.low * factor, places), fixed(self.high * factor, places)


def definitions() -> Markup:
    """The shapes that every drawing of the page refers to."""
    shapes = "".join(f'<path id="m{i}" d="{path}"/>' for i, path in enumerate(MARKERS))
    shapes += "".join(f'<path id="n{i}" transform="scale(.8)" d="{path}"/>' for i, path in enumerate(MARKERS))
    verdicts = (
        '<g id="v-pass"><circle r="5.5"/></g>'
        '<g id="v-fail"><circle r="5.5"/><path class="cut" d="M-3.4-1.2h6.8v2.4h-6.8z"/></g>'
        '<g id="v-open"><circle r="4.8" class="ring"/></g>'
        '<g id="v-none"><circle r="4.8" class="ring dash"/></g>'
    )
    return Markup(f'<svg class="defs" aria-hidden="true"><defs>{shapes}{verdicts}</defs></svg>')


def hue(position: int) -> str:
    """Class of the hue of the model at ``position``."""
    return f"h{position}" if position < HUES else "hx"


def key(position: int) -> Markup:
    """The marker of a model, beside its name."""
    return Markup(
        '<svg class="k {}" viewBox="-6 -6 12 12" aria-hidden="true"><use href="#m{}"/></svg>'
    ).format(hue(position), position % len(MARKERS))


def whisker(
    value: float, low: float, high: float, scale: Scale, position: int, rules: Sequence[float] = ()
) -> Markup:
    """A dot with its interval on the column's scale, in the hue of its row; ``rules`` are upright lines.

    Beside it the figure says the same in words, so that readers of the screen skip it.
    """
    parts = [
        Markup('<line class="r" x1="{0:g}%" x2="{0:g}%" y2="100%"/>').format(scale.at(rule))
        for rule in dict.fromkeys(rules)
    ]
    parts.append(Markup('<line x1="{:g}%" x2="{:g}%"/>').format(scale.at(low), scale.at(high)))
    parts.append(Markup('<use href="#n{}" x="{:g}%"/>').format(position % len(MARKERS), scale.at(value)))
    return Markup('<svg class="f" aria-hidden="true">{}</svg>').format(Markup("").join(parts))


def gauge(
    value: float,
    low: float,
    high: float,
    scale: Scale,
    position: int,
    label: str,
    rules: Sequence[tuple[float, str]],
    ends: tuple[str, str],
) -> Markup:
    """The drawing of a card: the dot with its interval over an axis, margins named where they lie."""
    parts = [
        Markup(
            '<line class="r" x1="{0}%" x2="{0}%" y1="14" y2="36"/><text x="{0}%" y="10" {1}>{2}</text>'
        ).format(scale.at(at), Markup(_anchor(scale.at(at))), name)
        for at, name in rules
    ]
    parts.append(Markup('<line class="a" x1="4%" x2="96%" y1="36" y2="36"/>'))
    parts.append(Markup('<text x="4%" y="50">{}</text>').format(ends[0]))
    parts.append(Markup('<text x="96%" y="50" text-anchor="end">{}</text>').format(ends[1]))
    parts.append(Markup('<line x1="{}%" x2="{}%" y1="25" y2="25"/>').format(scale.at(low), scale.at(high)))
    parts.append(Markup('<use href="#m{}" x="{}%" y="25"/>').format(position % len(MARKERS), scale.at(value)))
    return Markup('<svg class="f g {}" role="img" aria-label="{}">{}</svg>').format(
        hue(position), label, Markup("").join(parts)
    )


def _anchor(at: float) -> str:
    return 'text-anchor="end"' if at > 75 else "" if at < 25 else 'text-anchor="middle"'


def bars(shares: Sequence[float], top: float, position: int, label: str) -> Markup:
    """A histogram whose tallest possible bar is ``top``; the same for all models of a column."""
    width = 100 / max(1, len(shares))
    path = ["M0 24"]
    for index, share in enumerate(shares):
        path.append(f"V{24 - 22 * min(1.0, share / top if top > 0 else 0.0):.3g}H{(index + 1) * width:.4g}")
    return Markup(
        '<svg class="b {}" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path d="{}V24z"/></svg>'
    ).format(hue(position), label, "".join(path))
