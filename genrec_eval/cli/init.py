"""``genrec-eval init``: a suite to start from, which runs offline as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from genrec_eval.core.errors import UsageError

SCHEMA = "suite.schema.json"

# Remarks start with "# ", alternatives to uncomment with "#" alone: the tests uncomment and run them.
TEMPLATE = """\
# yaml-language-server: $schema=./suite.schema.json
# Check it:  genrec-eval validate @FILE@
# Run it:    genrec-eval run @FILE@
name: @NAME@
description: A first comparison.
seed: 1

data:
  # A generated world; `genrec-eval list datasets synthetic` shows what can be set.
  world:
    dataset: synthetic
    options: {users: 500, items: 300}
  # A folder with any MovieLens data set; the path comes from the environment.
  #movies:
  #  dataset: movielens
  #  options: {path: "${env:MOVIELENS}"}
  # Your own csv, tsv, parquet or jsonl file.
  #own:
  #  dataset: files
  #  options:
  #    interactions: interactions.csv
  #    columns: {user: user_id, item: item_id, timestamp: time}

models:
  # Bundled models; `genrec-eval list models` shows them all.
  popularity:
    adapter: reference
    model: popularity
  item-knn:
    adapter: reference
    model: item-knn
  # A Python function: def recommend(user, history, k): return [...item ids...]
  #my-function:
  #  adapter: python
  #  target: "recommender.py:recommend"
  # A web service that answers POST {"user", "history", "k"} with {"items": [...]}.
  #my-service:
  #  adapter: http
  #  url: "http://127.0.0.1:8000/rank"
  # A program in any language: one JSON object a line over stdin and stdout.
  #my-program:
  #  adapter: process
  #  command: [node, recommender.mjs]
  # An LLM behind the OpenAI protocol; secrets are references to the environment.
  #my-llm:
  #  adapter: openai
  #  model: gpt-4.1-mini
  #  api_key: "${env:OPENAI_API_KEY}"
  #  recommender: {prompt: rank-list, history_limit: 20}
  # Lists that were recorded before, as parquet, csv, jsonl or a TREC run.
  #my-lists:
  #  adapter: replay
  #  path: lists.parquet
  # An arm of an A/B test that is over: scenario ab-test reads its exposure log.
  #my-arm:
  #  adapter: logged
  #  arm: B

scenarios:
  top-k:
    scenario: top-k
    data: world
    options:
      k: 10
      # `genrec-eval list metrics` shows them all.
      metrics: [ndcg@10, recall@10, mrr@10, coverage@10]
      # Results are also given for each value of these columns of the users.
      groups: [group]

# Every other model is compared with this one.
baseline: popularity

# What should hold; a refuted claim ends the run with exit code 1.
claims:
  - claim: ItemKNN is not clearly worse than popularity
    scenario: top-k
    metric: ndcg@10
    model: item-knn
    against: popularity
    not_worse_by: 0.05
  - claim: ItemKNN repeats no item
    scenario: top-k
    metric: duplicate@10
    model: item-knn
    at_most: 0.01

#engine:
#  limit: 32
#  budget: {calls: 2000, money: 5.00}
"""

TEXTS = """\
# yaml-language-server: $schema=./suite.schema.json
# Check it:  genrec-eval validate @FILE@
# Run it:    genrec-eval run @FILE@
name: @NAME@
description: Who explains recommendations best, and is what they write true?
seed: 1

data:
  # A generated world; texts are checked against the facts and reviews of its items.
  world:
    dataset: synthetic
    options: {users: 300, items: 200, reviews: 0.6}

models:
  # Bundled writers; `genrec-eval list models` shows them all.
  template:
    adapter: reference
    model: template-writer
  retrieval:
    adapter: reference
    model: retrieval-writer
  # An LLM behind the OpenAI protocol; secrets are references to the environment.
  #my-llm:
  #  adapter: openai
  #  model: gpt-4.1-mini
  #  api_key: "${env:OPENAI_API_KEY}"
  #  decoding: {temperature: 0}
  # A Python function: def explain(request): return "..." from request.messages[-1].content
  #my-function:
  #  adapter: python
  #  target: "writer.py:explain"
  #  kinds: [chat]
  # Texts that were written elsewhere, in columns user, item and text; they need `variants: []` below.
  #my-texts:
  #  adapter: replay
  #  path: texts.csv
  #  kinds: [chat]

judges:
  # Rules over the facts and the text, no language model: `genrec-eval card rubric-judge`.
  rules:
    model: {adapter: reference, model: rubric-judge}
  # An LLM; `genrec-eval judge show json` is what it reads. Test it with scenario judge-probe first.
  #my-judge:
  #  model: {adapter: openai, model: gpt-4.1, api_key: "${env:OPENAI_API_KEY}"}
  #  dialect: json
  #  orders: both

scenarios:
  explanation:
    # Or review-summary; then max_items in place of max_users, and no variants.
    scenario: explanation
    data: world
    options:
      max_users: 100
      # Further questions that show whether a text follows from its facts; two more calls a case.
      variants: [paraphrase, without_cited]
    # What judges are asked about the texts; `genrec-eval judge list` shows the rubrics.
    judging:
      - {judge: rules, rubric: faithfulness, limit: 60}
      - {judge: rules, rubric: helpfulness, task: pairwise, against: template, limit: 60}

# Every other model is compared with this one.
baseline: template

# What should hold; a refuted claim ends the run with exit code 1. Truth and tone are checked without a claim.
claims:
  - claim: What the template says is borne out
    scenario: explanation
    metric: supported
    model: template
    at_least: 0.9

#engine:
#  limit: 32
#  budget: {calls: 2000, money: 5.00}
"""


def init(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="File to write.")] = Path("suite.yaml"),
    texts: Annotated[
        bool, typer.Option("--texts", help="Of writers and judges, in place of rankings.")
    ] = False,
) -> None:
    """Write a suite to start from; it runs offline as it is, and shows the alternatives as comments.

    The JSON Schema for editors is written beside it. An existing suite is never overwritten.
    """
    import json
    import shlex

    from genrec_eval.suite.json_schema import suite_schema

    if path.is_dir():
        path = path / "suite.yaml"
    if path.suffix not in {".yaml", ".yml"}:
        raise UsageError(f"'{path}' does not end in .yaml; write genrec-eval init {path}.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(_filled(TEXTS if texts else TEMPLATE, path))
    except FileExistsError:
        raise UsageError(f"'{path}' is there already; name another file: genrec-eval init PATH") from None
    made, _ = suite_schema()
    (path.parent / SCHEMA).write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    typer.echo(f"wrote {path} and {path.parent / SCHEMA}\nnext: genrec-eval run {shlex.quote(str(path))}")


def _filled(template: str, path: Path) -> str:
    import shlex

    from genrec_eval.suite.schema import is_slug

    name = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("-._")[:40] or "suite"
    name = name if is_slug(name) else f"suite-{name}"
    # A name such as 1.5 or null would be read as something else than text.
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) and name.lower() not in {"true", "false", "null"}
    # Quoted as a shell needs it; a line break would end the remark.
    shown = shlex.quote("".join(letter if letter.isprintable() else "?" for letter in str(path)))
    return template.replace("@NAME@", name if plain else f'"{name}"').replace("@FILE@", shown)
