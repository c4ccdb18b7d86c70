"""From the SVG that a chart library writes to one that a page can hold: small, themed, inert."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from markupsafe import Markup

from genrec_eval.reporting.text import visible

_KEPT = {
    "g": ("transform", "clip-path", "text-anchor"),
    "path": ("d", "transform", "fill", "stroke"),
    "line": ("transform", "x2", "y2", "stroke"),
    "rect": ("transform", "x", "y", "width", "height", "fill", "stroke"),
    "text": ("transform", "text-anchor", "fill", "font-size", "font-weight"),
    "clipPath": ("id",),
}
"""Elements and attributes that a chart needs; whatever else comes is left out."""
_PAINT = ("stroke-width", "stroke-dasharray", "opacity", "fill-opacity", "stroke-opacity", "stroke-linejoin")
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?|-?\d+e-?\d+")
_COLOUR = re.compile(r"none|transparent|var\(--[a-z0-9]+\)")
_LOCAL = re.compile(r"url\(#([\w-]+)\)")


def dress(svg: str, ident: str, title: str, about: str) -> Markup:
    """The drawing as it stands in a page.

    Colours are the page's variables, the typeface is the page's, and names of strangers are text and
    nothing else. Screen readers get a title and a description in place of hundreds of shapes.

    Parameters
    ----------
    svg
        As vl-convert writes it.
    ident
        Unique in the page; every id within begins with it.
    title, about
        What it is, and what is to be seen.
    """
    root = ET.fromstring(svg)
    made = ET.Element(
        "svg",
        {
            "class": "plot",
            "viewBox": _rounded(root.get("viewBox", "")),
            "fill": "none",
            "role": "img",
            "aria-labelledby": f"{ident}-t {ident}-d",
        },
    )
    ET.SubElement(made, "title", {"id": f"{ident}-t"}).text = visible(title)
    ET.SubElement(made, "desc", {"id": f"{ident}-d"}).text = visible(about)
    for child in root:
        _copy(child, made, ident)
    return Markup(ET.tostring(made, encoding="unicode"))


def _copy(source: ET.Element, into: ET.Element, ident: str) -> None:
    tag = source.tag.rpartition("}")[2]
    if tag == "defs":
        for child in source:
            _copy(child, into, ident)
        return
    if tag not in _KEPT or _empty(source, tag):
        return
    held: dict[str, str] = {}
    for name in (*_KEPT[tag], *_PAINT):
        value = source.get(name)
        if value is not None and (kept := _attribute(name, value, ident)) is not None:
            held[name] = kept
    if tag == "g" and not held:
        for child in source:
            _copy(child, into, ident)
        return
    made = ET.SubElement(into, tag, held)
    if tag == "text":
        made.text = visible("".join(source.itertext()))
    for child in source if tag in ("g", "clipPath") else ():
        _copy(child, made, ident)
    if tag == "g" and not len(made):
        into.remove(made)


def _empty(source: ET.Element, tag: str) -> bool:
    """Whether nothing of it is seen: backgrounds, frames of groups, marks without extent."""
    if source.get("display") == "none" or source.get("opacity") == "0":
        return True
    if tag == "path":
        unseen = source.get("fill") in (None, "none", "transparent") and not source.get("stroke")
        return not source.get("d") or source.get("class") in ("background", "foreground") or unseen
    return tag == "rect" and source.get("fill") in (None, "none", "transparent")


def _attribute(name: str, value: str, ident: str) -> str | None:
    """A value that may stand in the page; None for one that says nothing or may not."""
    if name in ("fill", "stroke"):
        return value if _COLOUR.fullmatch(value) and value != "transparent" else None
    if name == "clip-path":
        local = _LOCAL.fullmatch(value)
        return f"url(#{ident}-{local[1]})" if local else None
    if name == "id":
        return f"{ident}-{value}" if re.fullmatch(r"[\w-]+", value) else None
    value = _rounded(value.removesuffix("px"))
    said_nothing = {
        "transform": "translate(0,0)",
        "opacity": "1",
        "fill-opacity": "1",
        "stroke-opacity": "1",
        "font-weight": "normal",
        "text-anchor": "start",
        "font-size": "12",
        "stroke-width": "1.6",
    }
    return None if said_nothing.get(name) == value else value


def _rounded(value: str) -> str:
    def short(match: re.Match[str]) -> str:
        text = f"{float(match[0]):.1f}".removesuffix(".0")
        return "0" if text == "-0" else text

    return _NUMBER.sub(short, value)
