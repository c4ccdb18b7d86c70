"""How long `genrec-eval` takes before it works: --help, --version and validate, and what they import.

python benchmarks/startup.py [--rounds 7]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

QUICKSTART = Path(__file__).resolve().parent.parent / "suites" / "quickstart.yaml"
COMMANDS = {
    "--help": (["--help"], 0.25),
    "--version": (["--version"], 0.25),
    "validate quickstart": (["validate", str(QUICKSTART)], 0.6),
}
HEAVY = ("numpy", "pyarrow", "pandas", "scipy", "openai", "httpx", "starlette", "rapidfuzz", "torch")
START = "import sys; from genrec_eval.cli.main import main; main(sys.argv[1:])"


def main() -> None:
    """Time each command in fresh processes, then ask one more what it imported."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    print(f"{'command':<20} {'least s':>8} {'median s':>9} {'target s':>9}   imports")
    commands = {"(python alone)": ([], None), **COMMANDS}
    for name, (words, target) in commands.items():
        command = [sys.executable, "-c", START if words else "pass", *words]
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times.append(time.perf_counter() - began)
        trace = subprocess.run([command[0], "-X", "importtime", *command[1:]], capture_output=True, text=True)
        modules = {line.rpartition("|")[2].strip() for line in trace.stderr.splitlines()}
        heavy = ", ".join(module for module in HEAVY if module in modules) or "none of the heavy ones"
        shown = f"{target:9.2f}" if target else " " * 9
        print(f"{name:<20} {min(times):8.3f} {statistics.median(times):9.3f} {shown}   {heavy}")


if __name__ == "__main__":
    main()
