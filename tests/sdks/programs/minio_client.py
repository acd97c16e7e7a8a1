"""minio, the MinIO SDK for Python."""

import datetime
import io
import os
import tempfile
import time

import requests
from minio import Minio
from minio.commonconfig import REPLACE, ComposeSource, CopySource
from minio.datatypes import PostPolicy
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from report import ACCESS_KEY_ID, AWKWARD, ENDPOINT, OTHER_CLOCK, PICTURE, REGION, SECRET, large, operation, raises, same

BUCKET = "from-minio"
MIB = 1 << 20


def connect(endpoint=ENDPOINT, secret=SECRET, region=REGION):
    return Minio(endpoint=endpoint.removeprefix("http://"), access_key=ACCESS_KEY_ID, secret_key=secret, secure=False, region=region)


client = connect()


def code(run):
    error = raises(S3Error, run)
    return error.code, error.response.status


def body(key, **more):
    answer = client.get_object(bucket_name=BUCKET, object_name=key, **more)
    try:
        return answer.read()
    finally:
        answer.close()
        answer.release_conn()


def put(key, data=b"1234", **more):
    return client.put_object(bucket_name=BUCKET, object_name=key, data=io.BytesIO(data), length=len(data), **more)


put_bytes = put


def stat(key):
    return client.stat_object(bucket_name=BUCKET, object_name=key)


@operation
def create_bucket():
    same(client.bucket_exists(bucket_name=BUCKET), False)
    client.make_bucket(bucket_name=BUCKET)
    same(client.bucket_exists(bucket_name=BUCKET), True)


@operation
def location():
    """Without a region it asks for the bucket's."""
    same(connect(region=None).bucket_exists(bucket_name=BUCKET), True)


@operation
def list_buckets():
    assert BUCKET in [bucket.name for bucket in client.list_buckets()]


@operation
def put():
    written = put_bytes(AWKWARD, PICTURE, content_type="image/png", metadata={"owner": "7", "Cache-Control": "max-age=60"})
    same(len(written.etag), 32)
    put_bytes("nothing", b"")


@operation
def get():
    same(body(AWKWARD), PICTURE)
    same(body("nothing"), b"")
    same(code(lambda: body("not-there")), ("NoSuchKey", 404))


@operation
def head():
    found = stat(AWKWARD)
    same((found.size, found.content_type, found.metadata["x-amz-meta-owner"], found.metadata["cache-control"]), (28, "image/png", "7", "max-age=60"))
    assert abs(found.last_modified.timestamp() - time.time()) < 600
    same(code(lambda: stat("not-there")), ("NoSuchKey", 404))


@operation
def range():
    same(body(AWKWARD, offset=2, length=4), PICTURE[2:6])
    same(code(lambda: body(AWKWARD, offset=1000, length=1)), ("InvalidRange", 416))


@operation
def copy():
    client.copy_object(bucket_name=BUCKET, object_name="copies/a copy", source=CopySource(bucket_name=BUCKET, object_name=AWKWARD))
    same((body("copies/a copy"), stat("copies/a copy").metadata["x-amz-meta-owner"]), (PICTURE, "7"))
    source = CopySource(bucket_name=BUCKET, object_name=AWKWARD)
    client.copy_object(bucket_name=BUCKET, object_name="copies/another", source=source, metadata_directive=REPLACE, metadata={"new": "1"})
    same(stat("copies/another").metadata["x-amz-meta-new"], "1")


KEYS = [f"list/{folder}/{n} ü" for folder in ("a", "b") for n in "0123"] + ["list/z"]


def keys(**more):
    return [entry.object_name for entry in client.list_objects(bucket_name=BUCKET, prefix="list/", **more)]


@operation
def list_v2():
    for key in KEYS:
        put_bytes(key)
    same(keys(recursive=True), KEYS)
    assert AWKWARD in [entry.object_name for entry in client.list_objects(bucket_name=BUCKET, recursive=True)]


@operation
def list_v1():
    same(keys(recursive=True, use_api_v1=True), KEYS)


@operation
def list_delimiter():
    same((sorted(keys()), sorted(keys(use_api_v1=True))), (["list/a/", "list/b/", "list/z"],) * 2)


@operation
def delete():
    client.remove_object(bucket_name=BUCKET, object_name=KEYS[0])
    same(code(lambda: body(KEYS[0])), ("NoSuchKey", 404))


@operation
def delete_many():
    objects = [DeleteObject(key) for key in (KEYS[1], KEYS[2], "not-there")]
    same(list(client.remove_objects(bucket_name=BUCKET, delete_object_list=objects)), [])
    same(keys(recursive=True), KEYS[3:])


@operation
def transfer():
    """Large files in parts, also of a stream of unknown length."""
    with tempfile.TemporaryDirectory() as folder:
        here, there = os.path.join(folder, "here"), os.path.join(folder, "there")
        with open(here, "wb") as file:
            file.write(large(11 * MIB))
        done = client.fput_object(bucket_name=BUCKET, object_name="large", file_path=here, part_size=5 * MIB)
        assert done.etag.endswith("-3"), done.etag
        client.fget_object(bucket_name=BUCKET, object_name="large", file_path=there)
        with open(there, "rb") as file:
            assert file.read() == large(11 * MIB)
    client.put_object(bucket_name=BUCKET, object_name="stream", data=io.BytesIO(large(6 * MIB)), length=-1, part_size=5 * MIB)
    assert body("stream") == large(6 * MIB)


@operation
def compose():
    sources = [ComposeSource(bucket_name=BUCKET, object_name="large"), ComposeSource(bucket_name=BUCKET, object_name=AWKWARD)]
    client.compose_object(bucket_name=BUCKET, object_name="composed", sources=sources)
    assert body("composed") == large(11 * MIB) + PICTURE


@operation
def presign_get():
    url = client.presigned_get_object(bucket_name=BUCKET, object_name=AWKWARD, expires=datetime.timedelta(seconds=60))
    answer = requests.get(url)
    same((answer.status_code, answer.content, answer.headers["content-type"]), (200, PICTURE, "image/png"))
    same(requests.get(url.replace("X-Amz-Expires=60", "X-Amz-Expires=61")).status_code, 403)


@operation
def presign_put():
    url = client.presigned_put_object(bucket_name=BUCKET, object_name="presigned", expires=datetime.timedelta(seconds=60))
    same(requests.put(url, data=PICTURE).status_code, 200)
    same(body("presigned"), PICTURE)


@operation
def post():
    policy = PostPolicy(BUCKET, datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=60))
    policy.add_starts_with_condition("key", "forms/")
    policy.add_equals_condition("Content-Type", "image/png")
    policy.add_content_length_range_condition(1, 1000)
    fields = client.presigned_post_policy(policy)
    sent = lambda kind: requests.post(f"{ENDPOINT}/{BUCKET}", data={**fields, "key": "forms/1", "Content-Type": kind}, files={"file": PICTURE}).status_code
    same(sent("image/png"), 204)
    same((body("forms/1"), stat("forms/1").content_type), (PICTURE, "image/png"))
    same(sent("text/plain"), 403)


@operation
def wrong_secret():
    other = connect(secret="not-the-secret")
    same(code(lambda: other.put_object(bucket_name=BUCKET, object_name="forged", data=io.BytesIO(b"1"), length=1)), ("SignatureDoesNotMatch", 403))
    same(code(lambda: list(other.list_objects(bucket_name=BUCKET))), ("SignatureDoesNotMatch", 403))
    same(code(lambda: body("forged")), ("NoSuchKey", 404))


@operation
def other_clock():
    same(code(lambda: list(connect(OTHER_CLOCK).list_objects(bucket_name="media"))), ("RequestTimeTooSkewed", 403))


@operation
def delete_bucket():
    same(code(lambda: client.remove_bucket(bucket_name=BUCKET)), ("BucketNotEmpty", 409))
    objects = [DeleteObject(entry.object_name) for entry in client.list_objects(bucket_name=BUCKET, recursive=True)]
    same(list(client.remove_objects(bucket_name=BUCKET, delete_object_list=objects)), [])
    client.remove_bucket(bucket_name=BUCKET)
    same(client.bucket_exists(bucket_name=BUCKET), False)
