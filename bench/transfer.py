#!/usr/bin/env python3
"""How fast `valetkey put` and `valetkey get` carry a large object, beside curl with a presigned URL, to and from one store on this machine.

    bench/transfer.py [--size BYTES] [--rounds N] [--folder FOLDER]

Prints a table in Markdown. `put` and `get` run as they do by themselves, in parts, and in one request as curl does. All take turns, in another order in each
round. Every object and every download is compared with the file, outside of the measured time. FOLDER needs room for three times the size; what is written
there is removed.
"""

import argparse
import filecmp
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from programs import built, environment, machine, median, table, taken

BUCKET = "bench"
BLOCK = 16 << 20

LABELS = {
    "put_by_curl": "`curl -T FILE URL`",
    "put": "`valetkey put`, in parts",
    "put_whole": "`valetkey put`, one request",
    "get_by_curl": "`curl -o FILE URL`",
    "get": "`valetkey get`, in parts",
    "get_whole": "`valetkey get`, one request",
}


class Store:
    """`valetkey store` on a free port, over a folder."""

    def __init__(self, program, folder):
        # Its own words say where it is.
        command = [program, "store", "--bucket", BUCKET, "--port", "0", "--credentials", "env", "--data", folder]
        self.process = subprocess.Popen([str(word) for word in command], env=environment(), stdout=subprocess.PIPE, text=True)
        self.endpoint = None
        for line in self.process.stdout:
            found = re.search(r"https?://[0-9.]+:[0-9]+", line)
            self.endpoint = self.endpoint or (found and found.group(0))
            if "Ready" in line:
                break
        if not self.endpoint:
            sys.exit("the store did not say where it is")

    def end(self):
        self.process.terminate()
        self.process.wait()


class Bench:
    def __init__(self, program, folder, size):
        self.program = program
        # What is not larger than a part goes in one request.
        self.whole = ["--part-size", str(size)]
        self.file = folder / "file.bin"
        self.download = folder / "download.bin"
        source = random.Random(20261122)
        block = bytearray(source.randbytes(BLOCK))
        with self.file.open("wb") as out:
            for number in range(0, size, BLOCK):
                block[:8] = number.to_bytes(8, "big")
                out.write(block[: min(BLOCK, size - number)])
        self.store = Store(program, folder / "store")

    def url(self, operation, key):
        words = [self.program, "presign", operation, f"s3://{BUCKET}/{key}", *self.place(), "--expires", "1h"]
        return subprocess.run([str(word) for word in words], env=environment(), capture_output=True, text=True, check=True).stdout.strip()

    def place(self):
        return ["--endpoint", self.store.endpoint]

    def put_by_curl(self):
        return ["curl", "--silent", "--show-error", "--fail", "--upload-file", self.file, self.url("put", "object")]

    def put(self):
        return [self.program, "put", self.file, f"s3://{BUCKET}/object", *self.place()]

    def put_whole(self):
        return [*self.put(), *self.whole]

    def get_by_curl(self):
        return ["curl", "--silent", "--show-error", "--fail", "--output", self.download, self.url("get", "object")]

    def get(self):
        return [self.program, "get", f"s3://{BUCKET}/object", self.download, *self.place()]

    def get_whole(self):
        return [*self.get(), *self.whole]

    def run(self, command):
        """One turn. What is to be written by the system is written before, so that nobody pays for another's."""
        os.sync()
        return taken(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL if command[0] == self.program else None)

    def round(self, turns, taken_by):
        for name in turns:
            command = getattr(self, name)()
            if "put" in name:
                subprocess.run(["curl", "--silent", "--request", "DELETE", self.url("delete", "object")], check=True, stdout=subprocess.DEVNULL)
            taken_by[name].append(self.run(command))
            if "put" in name:
                # What was stored is what was sent.
                subprocess.run([str(word) for word in self.get_by_curl()], check=True)
            if not filecmp.cmp(self.file, self.download, shallow=False):
                sys.exit(f"{name}: other bytes")
            self.download.unlink()


def main():
    parser = argparse.ArgumentParser(description="measures valetkey put and get beside curl")
    parser.add_argument("--size", type=int, default=5 << 30, help="bytes [default: 5 GiB]")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where to work [default: the system's temporary folder]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        if shutil.disk_usage(folder).free < arguments.size * 3 + (1 << 30):
            sys.exit(f"{folder} has no room for three times {arguments.size} bytes; --folder names another place, --size fewer bytes")
        bench = Bench(built(), Path(folder), arguments.size)
        names = list(LABELS)
        taken_by = {name: [] for name in names}
        order = random.Random(1)
        try:
            for _ in range(arguments.rounds):
                # A get needs an object, which every put leaves.
                puts, gets = names[:3], names[3:]
                order.shuffle(puts)
                order.shuffle(gets)
                bench.round(puts + gets, taken_by)
        finally:
            bench.store.end()
    print(f"- machine: {machine()}")
    curl = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    print(f"- {arguments.size:,} bytes, {arguments.rounds} rounds, curl {curl}; the store is `valetkey store` over a folder, on loopback")
    print("- command: bench/transfer.py\n")
    rows = []
    for name in names:
        runs = taken_by[name]
        beside = taken_by["put_by_curl" if "put" in name else "get_by_curl"]
        middle = median([run.seconds for run in runs])
        rows.append([
            LABELS[name],
            f"{min(run.seconds for run in runs):.2f}",
            f"{middle:.2f}",
            f"{arguments.size / middle / (1 << 20):,.0f}",
            f"{median([run.seconds for run in beside]) / middle:.2f}",
            f"{median([run.processor for run in runs]):.2f}",
            f"{max(run.peak for run in runs):.1f}",
        ])
    head = ["", "s, least", "s, median", "MiB a second", "× curl's speed", "s of processors, median", "most memory, MiB"]
    table(head, rows)


if __name__ == "__main__":
    main()
