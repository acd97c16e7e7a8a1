"""The AWS CLI: `aws s3` and some of `aws s3api`. The program's path is `AWS`."""

import filecmp
import hashlib
import json
import os
import re
import subprocess
import tempfile
import urllib.error
import urllib.request

from report import ACCESS_KEY_ID, AWKWARD, ENDPOINT, OTHER_CLOCK, PICTURE, REGION, SECRET, large, operation, same

MIB = 1 << 20
FOLDER = tempfile.TemporaryDirectory()
BUCKET = "from-the-aws-cli"
PLACE = f"s3://{BUCKET}"


def path(name):
    return os.path.join(FOLDER.name, name)


def write(name, data):
    os.makedirs(os.path.dirname(path(name)), exist_ok=True)
    with open(path(name), "wb") as file:
        file.write(data)
    return path(name)


def read(name):
    with open(path(name), "rb") as file:
        return file.read()


def aws(*words, endpoint=ENDPOINT, secret=SECRET, refused=None, data=None):
    """What the program prints; where it must be refused, what it says of that."""
    settings = {"AWS_ACCESS_KEY_ID": ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": secret, "AWS_DEFAULT_REGION": REGION, "AWS_MAX_ATTEMPTS": "1", "AWS_PAGER": ""}
    ended = subprocess.run([os.environ["AWS"], "--endpoint-url", endpoint, *words], env={**os.environ, **settings}, input=data, capture_output=True)
    out, err = ended.stdout.decode(), ended.stderr.decode()
    if refused is None:
        assert ended.returncode == 0, f"{words}: {out}{err}"
        return out
    assert ended.returncode != 0 and re.search(refused, err), f"{words}: {ended.returncode} {out}{err}"
    return err


def s3(*words, **more):
    return aws("s3", *words, **more)


def s3api(*words, **more):
    out = aws("s3api", *words, "--bucket", BUCKET, **more)
    return json.loads(out) if more.get("refused") is None and out else out


@operation
def create_bucket():
    s3("mb", PLACE)
    assert f" {BUCKET}\n" in s3("ls")


@operation
def put():
    write("picture.png", PICTURE)
    s3("cp", path("picture.png"), f"{PLACE}/{AWKWARD}", "--metadata", "owner=7", "--cache-control", "max-age=60")
    s3("cp", "-", f"{PLACE}/from stdin", data=PICTURE)


@operation
def get():
    s3("cp", f"{PLACE}/{AWKWARD}", path("back.png"))
    same(read("back.png"), PICTURE)
    s3("cp", f"{PLACE}/not-there", path("none"), refused=r"\(404\)")


@operation
def head():
    found = s3api("head-object", "--key", AWKWARD)
    same((found["ContentLength"], found["ContentType"], found["CacheControl"], found["Metadata"]), (28, "image/png", "max-age=60", {"owner": "7"}))


@operation
def range():
    s3api("get-object", "--key", AWKWARD, "--range", "bytes=2-5", path("range"))
    same(read("range"), PICTURE[2:6])


@operation
def conditional_get():
    etag = f'"{hashlib.md5(PICTURE).hexdigest()}"'
    s3api("get-object", "--key", AWKWARD, "--if-match", etag, path("conditional"))
    s3api("get-object", "--key", AWKWARD, "--if-none-match", etag, path("conditional"), refused=r"\(304\)")


@operation
def copy():
    s3("cp", f"{PLACE}/{AWKWARD}", f"{PLACE}/copies/a copy")
    s3("mv", f"{PLACE}/copies/a copy", f"{PLACE}/copies/moved")
    s3("sync", f"{PLACE}/copies", path("copies"))
    same((os.listdir(path("copies")), read("copies/moved")), (["moved"], PICTURE))


@operation
def multipart():
    write("large", large(17 * MIB))
    s3("cp", path("large"), f"{PLACE}/large", "--no-progress")
    assert s3api("head-object", "--key", "large")["ETag"].endswith('-3"')
    s3("cp", f"{PLACE}/large", path("large again"), "--no-progress")
    assert filecmp.cmp(path("large"), path("large again"), shallow=False)
    s3("cp", f"{PLACE}/large", f"{PLACE}/large copy", "--no-progress")
    assert s3api("head-object", "--key", "large copy")["ETag"].endswith('-3"')


@operation
def abort_multipart():
    upload = s3api("create-multipart-upload", "--key", "aborted")["UploadId"]
    more = ("--key", "aborted", "--upload-id", upload)
    s3api("upload-part", *more, "--part-number", "1", "--body", path("picture.png"))
    same([part["Size"] for part in s3api("list-parts", *more)["Parts"]], [28])
    same([entry["UploadId"] for entry in s3api("list-multipart-uploads")["Uploads"]], [upload])
    s3api("abort-multipart-upload", *more)


FILES = ["a/1 ü.txt", "a/2.txt", "b/c/3.txt", "top.txt"]


@operation
def sync():
    for name in FILES:
        write(f"tree/{name}", name.encode())
    same(s3("sync", path("tree"), f"{PLACE}/tree", "--no-progress").count("upload: "), len(FILES))
    same(s3("sync", path("tree"), f"{PLACE}/tree", "--no-progress"), "")
    os.remove(path("tree/top.txt"))
    assert "delete: " in s3("sync", path("tree"), f"{PLACE}/tree", "--delete", "--no-progress")
    s3("sync", f"{PLACE}/tree", path("tree again"), "--no-progress")
    same([read(f"tree again/{name}").decode() for name in FILES[:3]], FILES[:3])


@operation
def list_v2():
    found = [line.split(maxsplit=3)[3] for line in s3("ls", f"{PLACE}/tree/", "--recursive").splitlines()]
    same(found, [f"tree/{name}" for name in FILES[:3]])
    same([line.split() for line in s3("ls", f"{PLACE}/tree/").splitlines()], [["PRE", "a/"], ["PRE", "b/"]])


@operation
def list_v1():
    same([entry["Key"] for entry in s3api("list-objects", "--prefix", "tree/a/")["Contents"]], ["tree/a/1 ü.txt", "tree/a/2.txt"])


@operation
def list_pages():
    found = s3api("list-objects-v2", "--prefix", "tree/", "--page-size", "1")
    same([entry["Key"] for entry in found["Contents"]], [f"tree/{name}" for name in FILES[:3]])


@operation
def delete():
    s3("rm", f"{PLACE}/tree/a/2.txt")
    s3("rm", f"{PLACE}/tree/a", "--recursive")
    same(s3("ls", f"{PLACE}/tree/").split(), ["PRE", "b/"])


@operation
def delete_many():
    keys = ["from stdin", "tree/b/c/3.txt"]
    answer = s3api("delete-objects", "--delete", json.dumps({"Objects": [{"Key": key} for key in keys]}))
    same(sorted(entry["Key"] for entry in answer["Deleted"]), keys)


@operation
def presign_get():
    url = s3("presign", f"{PLACE}/{AWKWARD}", "--expires-in", "60").strip()
    with urllib.request.urlopen(url) as answer:
        same((answer.read(), answer.headers["content-type"]), (PICTURE, "image/png"))
    try:
        urllib.request.urlopen(url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"))
        raise AssertionError("it was not refused")
    except urllib.error.HTTPError as error:
        assert error.code == 403 and b"<Code>SignatureDoesNotMatch</Code>" in error.read()


@operation
def wrong_secret():
    s3("cp", path("picture.png"), f"{PLACE}/forged", secret="not-the-secret", refused=r"\(SignatureDoesNotMatch\)")


@operation
def other_clock():
    s3("ls", "s3://media", endpoint=OTHER_CLOCK, refused=r"\(RequestTimeTooSkewed\)")


@operation
def delete_bucket():
    s3("rb", PLACE, refused=r"\(BucketNotEmpty\)")
    s3("rb", PLACE, "--force")
