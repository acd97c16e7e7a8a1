"""Replays the signable vectors through the oracles and compares signatures and URLs.

    python3 check_oracles.py ../../fixtures/vectors/s3-sigv4.json ../../fixtures/vectors/oss-v4.json

Without arguments it takes these two files. Exits with 1 when an oracle answers anything else than the vector says.
"""

import json
import pathlib
import re
import subprocess
import sys
from urllib.parse import urlsplit

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parent.parent / "fixtures" / "vectors"


def main(paths):
    failures = 0
    for path in map(pathlib.Path, paths):
        cases = [c for c in json.loads(path.read_text())["cases"] if c["expect"]["sign"]]
        oracle = "s3_oracle.py" if path.name.startswith("s3") else "oss_oracle.py"
        same, not_expressible = 0, []
        for case, answer in zip(cases, ask(oracle, map(request, cases)), strict=True):
            if answer.get("error", "").startswith("CannotExpress"):
                not_expressible.append(f"{case['name']} ({answer['error'].partition(': ')[2]})")
                continue
            difference = compare(case, answer)
            if difference:
                failures += 1
                print(f"{path.name}: {case['name']}: {difference}")
            else:
                same += 1
        print(f"{path.name}: {same} of {len(cases)} the same; not expressible: {', '.join(not_expressible) or 'none'}")
    return 1 if failures else 0


def ask(oracle, requests):
    """The oracle's answers to the requests, in order."""
    lines = "".join(json.dumps(r) + "\n" for r in requests)
    run = subprocess.run(
        [sys.executable, HERE / oracle], input=lines, stdout=subprocess.PIPE, text=True, check=True
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


def request(case):
    """A vector as a line for its oracle."""
    expect, credentials = case["expect"], case["credentials"]
    return {
        "id": case["name"],
        **{n: expect[n] for n in ("operation", "method", "bucket", "key", "region", "endpoint", "addressing")},
        "headers": expect["headers"],
        "query": expect["query"],
        "access_key_id": credentials["access_key_id"],
        "secret_access_key": credentials.get("secret_access_key") or credentials["access_key_secret"],
        "session_token": credentials.get("session_token") or credentials.get("security_token"),
        "date": re.sub("[-:]", "", case["date"]),
        "expires": expect["expires_seconds"],
    }


def compare(case, answer):
    """What differs, or None. The order of parameters in a URL is each SDK's own."""
    if "error" in answer:
        return answer["error"]
    wanted = case.get("signature") or case["expected_signature"]
    if answer["signature"] != wanted:
        return f"signature {answer['signature']}, not {wanted}\n  {answer['url']}"
    url = case.get("expected_url") or case["expect"].get("url")
    if url and parts(answer["url"]) != parts(url):
        return f"the signature agrees, the URL does not\n  {answer['url']}\n  {url}"
    return None


def parts(url):
    split = urlsplit(url)
    return split.scheme, split.netloc, split.path, sorted(split.query.split("&"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or [VECTORS / "s3-sigv4.json", VECTORS / "oss-v4.json"]))
