"""What both oracles share: JSON lines in, JSON lines out, one answer per request, in order."""

import json
import sys


class CannotExpress(Exception):
    """The SDK has no way to sign this request as it was given; the text says why."""


def serve(sign):
    """Answer every line on stdin with ``sign(request)``, which returns a URL."""
    for line in sys.stdin:
        if not line.strip():
            continue
        request = json.loads(line)
        answer = {"id": request.get("id")}
        try:
            answer["url"] = sign(request)
            answer["signature"] = answer["url"].rpartition("ignature=")[2]
        except Exception as error:  # an SDK may fail in any way: that is an answer too
            answer["error"] = f"{type(error).__name__}: {error}"
        print(json.dumps(answer), flush=True)


def refuse_repeated_names(query):
    """Both SDKs keep one value per query name, and would sign another request without a word."""
    names = [name for name, _ in query]
    if len(names) != len(set(names)):
        raise CannotExpress("the SDK keeps only one value of a repeated query name")
