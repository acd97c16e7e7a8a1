#!/usr/bin/env python3
"""How fast and in how much memory `valetkey presign --batch` signs: ten million keys, and a hundredth of them for comparison.

    bench/batch.py [--lines N] [--rounds N]

Prints a table in Markdown. The input is a file of 70 bytes a line in a temporary folder; the output goes to nowhere. Before anything is timed a
short batch is looked at: each line signed, in order.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from programs import built, environment, machine, median, table, taken


def write_input(path, lines):
    """The same keys each time, in no order that would help anybody."""
    source = random.Random(20261122)
    with path.open("w", buffering=1 << 20) as out:
        for start in range(0, lines, 10_000):
            keys = (source.getrandbits(128) for _ in range(min(10_000, lines - start)))
            out.write("".join(f'{{"operation":"put","key":"uploads/2026/11/{key:032x}.jpg"}}\n' for key in keys))


def check(program, path, location, count):
    """One result for each line, in the order of the lines, and each is signed."""
    with path.open() as lines:
        head = [next(lines) for _ in range(count)]
    run = subprocess.run(
        [program, "presign", "--batch", "-", location], input="".join(head), env=environment(), capture_output=True, text=True, check=True
    )
    results = [json.loads(line) for line in run.stdout.splitlines()]
    keys = [json.loads(line)["key"] for line in head]
    if len(results) != count or any(f"/{key}?" not in result["url"] or "ignature=" not in result["url"] for key, result in zip(keys, results)):
        sys.exit(f"{location}: the batch is not signed line for line")


def main():
    parser = argparse.ArgumentParser(description="measures valetkey presign --batch")
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    program = built()
    sizes = [max(arguments.lines // 100, 1), arguments.lines]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for lines in sizes:
            path = Path(folder) / f"{lines}.jsonl"
            write_input(path, lines)
            for location in ["s3://media-prod", "oss://media-prod"]:
                check(program, path, location, min(lines, 10_000))
                rounds = []
                for _ in range(arguments.rounds):
                    with path.open("rb") as lines_in:
                        rounds.append(taken([program, "presign", "--batch", "-", location], stdin=lines_in, stdout=subprocess.DEVNULL))
                best, middle = min(run.seconds for run in rounds), median([run.seconds for run in rounds])
                rows.append([
                    location.split(":")[0].upper(),
                    f"{lines:,}",
                    f"{best:.2f}",
                    f"{middle:.2f}",
                    f"{lines / middle:,.0f}",
                    f"{median([run.processor for run in rounds]):.2f}",
                    f"{max(run.peak for run in rounds):.1f}",
                ])
            path.unlink()
    print(f"- machine: {machine()}")
    print(f"- command: bench/batch.py; {arguments.rounds} rounds\n")
    head = ["", "lines", "s, least", "s, median", "lines a second", "s of processors, median", "most memory, MiB"]
    table(head, rows)


main()
