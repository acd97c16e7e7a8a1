"""Sends requests with Python's own HTTP client: JSON lines in ({"method","url","headers","body"}, the body as text), JSON lines out ({"status","body"})."""

import json
import sys
import urllib.error
import urllib.request

for line in sys.stdin:
    given = json.loads(line)
    body = given["body"].encode() if given["body"] is not None else None
    request = urllib.request.Request(given["url"], data=body, method=given["method"])
    for name, value in given["headers"].items():
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        status, text = refused.code, refused.read().decode()
    print(json.dumps({"status": status, "body": text}), flush=True)
