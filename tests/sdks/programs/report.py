"""What the programs for Python share: each operation runs where it is written and reports itself in one line."""

import json
import os
import sys
import traceback

ENDPOINT = os.environ["ENDPOINT"]
OTHER_CLOCK = os.environ["ENDPOINT_OF_ANOTHER_TIME"]
REGION = os.environ["REGION"]
ACCESS_KEY_ID = os.environ["ACCESS_KEY_ID"]
SECRET = os.environ["SECRET_ACCESS_KEY"]
WANTED = os.environ["OPERATIONS"].split()

# No text in any encoding, and a key of which every part is encoded by somebody.
PICTURE = b"\x89PNG\r\n\x1a\n\x00\xff\xfe\x80--\r\n\"picture\"\n\xf0\x9f"
AWKWARD = "a b+c/%41&d=e?f#g/~!*'()ü漢😀;:@$,.png"


def large(size):
    """Bytes that differ from part to part."""
    block = bytes(range(251)) * 1024
    return (block * (size // len(block) + 1))[:size]


def operation(run):
    """Runs it, if it is wanted, and says how it ended: `None`, or what went wrong."""
    if run.__name__ not in WANTED:
        return run
    try:
        run()
        error = None
    except BaseException:
        error = traceback.format_exc(limit=-4)
    print(json.dumps({"operation": run.__name__, "error": error}))
    sys.stdout.flush()
    return run


def raises(kind, run):
    """What `run` raises, which must be of this kind."""
    try:
        answer = run()
    except kind as error:
        return error
    raise AssertionError(f"it was not refused: {answer!r}")


def same(found, wanted):
    """Fails with both values when they differ; of long ones with their beginnings."""
    if found != wanted:
        raise AssertionError(f"{repr(found)[:400]} and not {repr(wanted)[:400]}")
