"""What `batch.py` and `transfer.py` share: the program, a clock around a process, and tables. Python's standard library alone."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# They open nothing but a store of this machine.
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_REGION": "us-west-2",
    "OSS_ACCESS_KEY_ID": "LTAI5tExampleKeyId",
    "OSS_ACCESS_KEY_SECRET": "ExampleAccessKeySecret",
    "OSS_REGION": "cn-hangzhou",
}


def environment():
    """The environment without what the machine's owner has set for the clouds."""
    own = ("AWS_", "OSS_", "ALIBABA_CLOUD_", "VALETKEY_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {**kept, **KEYS, "VALETKEY_CONFIG": os.devnull}


def built():
    """The program as it is released."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    subprocess.run(["cargo", "build", "--release", "--quiet", "--package", "valetkey-cli"], cwd=ROOT, check=True)
    return target.resolve() / "release/valetkey"


# GNU time. What Python itself could tell of a child's memory begins with Python's own.
TIME = Path("/usr/bin/time")


class Taken:
    """What a process took: seconds of the clock and of all processors, and the most memory that it held, in MiB."""

    def __init__(self, seconds, processor, peak):
        self.seconds, self.processor, self.peak = seconds, processor, peak


def taken(command, **more):
    """Runs a command to its end, which must be success."""
    if not TIME.exists():
        sys.exit(f"{TIME} is not there (Debian: apt-get install time)")
    with tempfile.NamedTemporaryFile("r") as told:
        words = [TIME, "--format", "%U %S %M", "--output", told.name, *command]
        start = time.monotonic()
        run = subprocess.run([str(word) for word in words], env=environment(), **more)
        seconds = time.monotonic() - start
        if run.returncode != 0:
            sys.exit(f"{command[0]} ended with {run.returncode}")
        user, system, kibibytes = (float(word) for word in told.read().split())
    return Taken(seconds, user + system, kibibytes / 1024)


def median(values):
    return statistics.median(values)


def table(head, rows):
    """Markdown; the first column is text, the others are numbers."""
    print("| " + " | ".join(head) + " |")
    print("|---" + "|--:" * (len(head) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


def machine():
    """One line about the machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(": ", 1)[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration, IndexError):
        name = "unknown processor"
    return f"{name}, {len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} logical processors"
