"""``genrec-eval serve`` as a process: what it prints, how it ends, what it refuses."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys

import httpx2
import openai
import pytest
import yaml

import genrec_eval.cli.serve as serve_module
from genrec_eval.cli.main import exit_code
from genrec_eval.data.world.spec import SyntheticSpec


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "genrec_eval.cli.main", "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def test_serves_until_interrupted():
    process = start("item-knn", "--api-key", "${env:SERVE_KEY}", "--latency", "1ms", SERVE_KEY="sk-secret")
    try:
        first = process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+(?=/v1)", first)[0]
        lines = []
        while (line := process.stdout.readline()).strip() != "recommender: {}":
            lines.append(line)
        snippet = yaml.safe_load("".join([*lines, line]).partition("\n\n")[2])
        model = snippet["models"]["served-item-knn"]
        assert model["base_url"] == f"{url}/v1"
        assert model["api_key"] == "${env:SERVE_KEY}"
        client = openai.OpenAI(base_url=model["base_url"], api_key="sk-secret", max_retries=3)
        done = client.chat.completions.create(
            model=model["model"], messages=[{"role": "user", "content": "recommend 3"}]
        )
        assert len(done.choices[0].message.content.splitlines()) == 3
        assert httpx2.post(f"{url}/rank", json={}).status_code == 401
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert err == ""
    assert "sk-secret" not in first + "".join(lines) + out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["popularty"], "unknown reference model 'popularty'; did you mean 'popularity'?"),
        (["--latency", "soon"], "--latency: latency 'soon': 'soon' is not a duration"),
        (["--stall", "0.7", "--truncate", "0.7"], "add up to 1.4, above 1"),
        (["--rate-limit", "0"], "--rate-limit: "),
        (["--data", "nowhere"], "--data is 'synthetic', a folder with a MovieLens data set or a suite"),
        (["--host", "203.0.113.1"], "cannot listen on 203.0.113.1"),
        (["--api-key", "${env:NOT_SET_ANYWHERE}"], "environment variable NOT_SET_ANYWHERE is not set"),
        (["--error-429", "2"], "--error-429"),
    ],
)
def test_mistakes_get_a_sentence(capsys, arguments, sentence):
    assert exit_code(["serve", "--port", "0", *arguments]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said


SUITE = """
name: two-worlds
seed: 9
data:
  small: {dataset: synthetic, options: {users: 50, items: 40, interactions_per_user: 5}}
  other: {dataset: synthetic, options: {users: 60, items: 50, interactions_per_user: 5}}
models:
  popular: {adapter: reference, model: popularity}
scenarios:
  top-k: {scenario: top-k, data: small}
"""


def test_the_data_of_a_suite_is_served_as_the_suite_sees_it(tmp_path, capsys):
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE)
    served = serve_module._dataset(f"{path}:small", seed=0)
    assert (
        served.digest == SyntheticSpec(users=50, items=40, interactions_per_user=5).load(tmp_path, 9).digest
    )
    for data, sentence in (
        (str(path), f"has not one data set; write --data {path}:NAME with one of: small, other"),
        (f"{path}:smal", "has no data set 'smal'; did you mean 'small'?"),
    ):
        assert exit_code(["serve", "--port", "0", "--data", data]) == 2
        assert sentence in capsys.readouterr().err


def test_a_port_in_use_is_one_sentence(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert exit_code(["serve", "--port", str(port)]) == 2
    assert capsys.readouterr().err == (
        f"error: port {port} of 127.0.0.1 is in use; stop what listens there or choose another with --port\n"
    )
