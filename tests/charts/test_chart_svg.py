"""What is drawn is well-formed, inert, themed and the same every time, whatever strangers call things."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import altair
import pytest
from charted import estimate, ranked, results, scene
from jsonschema import ValidationError

from genrec_eval.reporting.charts import panel
from genrec_eval.reporting.charts.chart import Chart
from genrec_eval.reporting.charts.draw import charts
from genrec_eval.reporting.charts.dress import dress
from genrec_eval.reporting.charts.forest import forest
from genrec_eval.reporting.results import Results

HOSTILE = (
    "<script>alert(1)</script>",
    "datum['x']",
    "${x} {{ 7*7 }}",
    "a\u202eb\x07c",
    "x" * 500,
    '"><img src=x onerror=y>',
    "line\nbreak\\",
    "function(){return 1}",
)
ALLOWED = {"svg", "title", "desc", "g", "path", "line", "rect", "text", "clipPath"}


def _drawn(read: Results) -> list[Chart]:
    part = scene(read)
    return charts(read, {}, part.directory, "s", part.order)


@pytest.fixture(scope="module")
def hostile() -> list[Chart]:
    rows = [
        row
        for k in (5, 10, 20)
        for row in ranked(f"ndcg@{k}", {name: 0.05 * i for i, name in enumerate(HOSTILE)}, half=0.01)
    ]
    rows += ranked("coverage@10", {name: 0.1 * i for i, name in enumerate(HOSTILE)}, direction="none")
    rows += [estimate(f"<b>({k}=<i>)@{k}", HOSTILE[0], 0.5) for k in (1, 5, 10)]
    return _drawn(results(rows))


def _elements(chart: Chart) -> list[ET.Element]:
    found = []
    for svg in re.findall(r"<svg .*?</svg>", str(chart.svg), re.DOTALL):
        found += list(ET.fromstring(svg).iter())
    return found


def test_every_kind_is_there_and_well_formed(hostile: list[Chart]) -> None:
    assert [chart.kind for chart in hostile] == ["forest", "differences", "trade-off", "curves"]
    assert all(ET.fromstring(f"<div>{chart.svg}</div>") is not None for chart in hostile)


def test_what_is_drawn_is_valid_vega_lite(monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def noted(one: panel.Panel) -> dict[str, Any]:
        written.append(made(one))
        return written[-1]

    made = panel.specification
    monkeypatch.setattr(panel, "specification", noted)
    rows = [*ranked("ndcg@5", {"a": 0.1, "b": 0.2}), *ranked("ndcg@10", {"a": 0.1, "b": 0.2})]
    rows += ranked("coverage@10", {"a": 0.3, "b": 0.1}, direction="none")
    _drawn(results(rows))
    assert {layer["mark"]["type"] for one in written for layer in one["layer"]} > {"rule", "point", "text"}
    for one in written:
        altair.LayerChart.from_dict(one, validate=True)
        with pytest.raises(ValidationError):
            altair.LayerChart.from_dict({**one, "width": "wide-ish", "pading": 3}, validate=True)


def test_nothing_but_shapes_and_text(hostile: list[Chart]) -> None:
    for chart in hostile:
        for element in _elements(chart):
            assert element.tag in ALLOWED
            assert not [name for name in element.attrib if "href" in name or name.startswith("on")]
            for value in element.attrib.values():
                assert "http" not in value
                assert "javascript" not in value
            for name in ("fill", "stroke"):
                assert re.fullmatch(r"none|var\(--\w+\)", element.get(name, "none"))


def test_ids_are_unique_over_the_page(hostile: list[Chart]) -> None:
    ids = [element.get("id") for chart in hostile for element in _elements(chart) if element.get("id")]
    assert len(ids) == len(set(ids))
    assert all(any(str(one).startswith(f"{chart.anchor}-") for chart in hostile) for one in ids)


def test_every_drawing_is_named_for_who_cannot_see_it(hostile: list[Chart]) -> None:
    for chart in hostile:
        for svg in (element for element in _elements(chart) if element.tag == "svg"):
            assert svg.get("role") == "img"
            title, about = svg[0], svg[1]
            assert svg.get("aria-labelledby") == f"{title.get('id')} {about.get('id')}"
            assert title.text
            assert about.text


def test_names_are_text_cut_and_made_visible(hostile: list[Chart]) -> None:
    texts = [element.text or "" for element in _elements(hostile[0]) if element.tag == "text"]
    assert "<script>alert(1)</sc"[:19] + "…" in texts
    assert "datum['x']" in texts
    assert "${x} {{ 7*7 }}" in texts
    assert "a⟨U+202E⟩b⟨U+0007⟩c" in texts
    assert "x" * 19 + "…" in texts
    assert "line break\\" in texts
    assert all("\u202e" not in text and "49" not in text for text in texts)
    assert "<script>" not in str(hostile[0].svg)


def test_the_same_run_gives_the_same_bytes() -> None:
    read = results([*ranked("ndcg@10", {"a": 0.1, "b": 0.3}), *ranked("recall@10", {"a": 0.1, "b": 0.3})])
    assert _drawn(read) == _drawn(read)


def test_a_model_keeps_its_hue_and_marker_everywhere() -> None:
    rows = [estimate("ndcg@10", model, 0.2) for model in "abc"] + [estimate("recall@10", "c", 0.2)]
    found = forest(scene(results(rows)))
    assert found is not None
    first, second = found.panels
    looks = [next(r for kind, r, _ in panel.layers if kind == "dots")[-1] for panel in (first, second)]
    assert {(look["c"], look["s"]) for look in looks} == {("var(--h2)", looks[0]["s"])}


def test_more_models_than_hues_share_the_ink() -> None:
    found = forest(scene(results([estimate("ndcg@10", f"m{i}", 0.2) for i in range(9)])))
    assert found is not None
    dots = next(rows for kind, rows, _ in found.panels[0].layers if kind == "dots")
    assert [dot["c"] for dot in dots][6:] == ["var(--h6)", "var(--hx)", "var(--hx)"]


def test_what_a_library_might_write_one_day_is_left_out() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9"'
        ' onload="x()"><script>x()</script><foreignObject><p>x</p></foreignObject>'
        '<image href="http://h/i.png"/><style>@import "http://h"</style>'
        '<a xlink:href="javascript:x()"><text>in a link</text></a>'
        '<g clip-path="url(http://h#a)" onclick="x()"><path d="M0,0L1.26,1" stroke="red" fill="url(#g)"/></g>'
        '<g clip-path="url(#c0)"><line x2="1.005" stroke="var(--ink)"/></g>'
        '<defs><clipPath id="c0"><rect width="9" height="9" fill="var(--ink)"/></clipPath></defs>'
        '<text fill="#333">1 &lt; 2</text></svg>'
    )
    made = str(dress(svg, "k", "A <b>", "about"))
    root = ET.fromstring(made)
    assert {element.tag for element in root.iter()} <= ALLOWED
    assert "http" not in made
    assert "x()" not in made
    assert "url(#k-c0)" in made
    assert 'id="k-c0"' in made
    assert root[0].text == "A <b>"
    assert "1 &lt; 2" in made
