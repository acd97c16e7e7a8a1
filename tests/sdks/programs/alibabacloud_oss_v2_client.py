"""alibabacloud-oss-v2, the OSS SDK V2 for Python: requests, paginators, its uploader and downloader, presigned URLs."""

import datetime
import io
import os
import tempfile
import time

import alibabacloud_oss_v2 as oss
import requests
from report import ACCESS_KEY_ID, AWKWARD, ENDPOINT, OTHER_CLOCK, PICTURE, REGION, SECRET, large, operation, raises, same

BUCKET = "from-alibabacloud-oss-v2"
MIB = 1 << 20


def connect(endpoint=ENDPOINT, secret=SECRET, region=REGION):
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(ACCESS_KEY_ID, secret)
    config.region, config.endpoint, config.retry_max_attempts = region, endpoint, 2
    return oss.Client(config)


client = connect()


def refusal(run):
    """Code and status of the service's error."""
    error = raises(oss.exceptions.OperationError, run).unwrap()
    assert isinstance(error, oss.exceptions.ServiceError), error
    return error.code, error.status_code


def get_object(key, **more):
    return client.get_object(oss.GetObjectRequest(BUCKET, key, **more))


def body(key, **more):
    return get_object(key, **more).body.read()


def put_object(key, data=b"1234", **more):
    return client.put_object(oss.PutObjectRequest(BUCKET, key, body=data, **more))


@operation
def create_bucket():
    same(client.is_bucket_exist(BUCKET), False)
    same(client.put_bucket(oss.PutBucketRequest(BUCKET)).status_code, 200)
    same(client.is_bucket_exist(BUCKET), True)


@operation
def list_buckets():
    found = [bucket.name for page in client.list_buckets_paginator().iter_page(oss.ListBucketsRequest()) for bucket in page.buckets]
    assert BUCKET in found, found


@operation
def put():
    written = put_object(AWKWARD, PICTURE, content_type="image/png", cache_control="max-age=60", metadata={"owner": "7"})
    same(written.status_code, 200)
    assert written.etag.startswith('"') and written.hash_crc64, written
    put_object("nothing", b"")
    put_object("by-name.png", PICTURE)
    same(client.head_object(oss.HeadObjectRequest(BUCKET, "by-name.png")).content_type, "image/png")


@operation
def get():
    found = get_object(AWKWARD)
    same(found.body.read(), PICTURE)
    same((found.content_type, found.cache_control, found.content_length), ("image/png", "max-age=60", len(PICTURE)))
    assert found.hash_crc64
    same(body("nothing"), b"")
    same(refusal(lambda: body("not-there")), ("NoSuchKey", 404))


@operation
def head():
    found = client.head_object(oss.HeadObjectRequest(BUCKET, AWKWARD))
    same((found.content_length, found.metadata["owner"]), (len(PICTURE), "7"))
    assert abs(found.last_modified.timestamp() - time.time()) < 600
    # An answer to HEAD has no body: the error is in a header.
    same(refusal(lambda: client.head_object(oss.HeadObjectRequest(BUCKET, "not-there"))), ("NoSuchKey", 404))
    same((client.is_object_exist(BUCKET, AWKWARD), client.is_object_exist(BUCKET, "not-there")), (True, False))


@operation
def object_meta():
    found = client.get_object_meta(oss.GetObjectMetaRequest(BUCKET, AWKWARD))
    same((found.content_length, found.etag), (len(PICTURE), client.head_object(oss.HeadObjectRequest(BUCKET, AWKWARD)).etag))


@operation
def range():
    found = get_object(AWKWARD, range_header="bytes=2-5", range_behavior="standard")
    same((found.body.read(), found.content_range, found.status_code), (PICTURE[2:6], f"bytes 2-5/{len(PICTURE)}", 206))
    same(refusal(lambda: body(AWKWARD, range_header="bytes=1000-", range_behavior="standard")), ("InvalidRange", 416))


@operation
def conditional_get():
    found = client.head_object(oss.HeadObjectRequest(BUCKET, AWKWARD))
    same(body(AWKWARD, if_match=found.etag), PICTURE)
    same(refusal(lambda: body(AWKWARD, if_match='"other"'))[1], 412)
    same(refusal(lambda: body(AWKWARD, if_none_match=found.etag))[1], 304)
    same(refusal(lambda: body(AWKWARD, if_modified_since=found.headers["Last-Modified"]))[1], 304)


@operation
def conditional_put():
    same(refusal(lambda: put_object(AWKWARD, b"other", forbid_overwrite=True)), ("FileAlreadyExists", 409))
    same(body(AWKWARD), PICTURE)
    put_object("once", forbid_overwrite=True)


@operation
def copy():
    copied = client.copy_object(oss.CopyObjectRequest(BUCKET, "copies/a copy", source_key=AWKWARD))
    same(copied.etag, client.head_object(oss.HeadObjectRequest(BUCKET, AWKWARD)).etag)
    found = get_object("copies/a copy")
    same((found.body.read(), found.content_type, found.metadata["owner"]), (PICTURE, "image/png", "7"))
    new = {"metadata_directive": "REPLACE", "content_type": "text/plain", "metadata": {"new": "1"}}
    client.copy_object(oss.CopyObjectRequest(BUCKET, "copies/another", source_bucket=BUCKET, source_key=AWKWARD, **new))
    found = client.head_object(oss.HeadObjectRequest(BUCKET, "copies/another"))
    same((found.content_type, found.metadata["new"], "owner" in found.metadata), ("text/plain", "1", False))
    same(refusal(lambda: client.copy_object(oss.CopyObjectRequest(BUCKET, "copies/none", source_key="not-there"))), ("NoSuchKey", 404))


KEYS = [f"list/{folder}/{n} ü" for folder in ("a", "b") for n in "0123"] + ["list/z"]


def keys(page):
    return [entry.key for entry in page.contents or []]


@operation
def list_v2():
    for key in KEYS:
        put_object(key)
    page = client.list_objects_v2(oss.ListObjectsV2Request(BUCKET, prefix="list/"))
    same((keys(page), page.key_count, page.is_truncated, page.contents[0].size), (KEYS, 9, False, 4))
    assert AWKWARD in keys(client.list_objects_v2(oss.ListObjectsV2Request(BUCKET)))
    same(keys(client.list_objects_v2(oss.ListObjectsV2Request(BUCKET, prefix="list/", start_after=KEYS[6]))), KEYS[7:])


@operation
def list_v1():
    page = client.list_objects(oss.ListObjectsRequest(BUCKET, prefix="list/", max_keys=5))
    same((keys(page), page.is_truncated, page.next_marker), (KEYS[:5], True, KEYS[4]))
    same(keys(client.list_objects(oss.ListObjectsRequest(BUCKET, prefix="list/", marker=KEYS[4]))), KEYS[5:])
    pages = client.list_objects_paginator(limit=4).iter_page(oss.ListObjectsRequest(BUCKET, prefix="list/"))
    same([key for page in pages for key in keys(page)], KEYS)


@operation
def list_delimiter():
    for run, request in ((client.list_objects_v2, oss.ListObjectsV2Request), (client.list_objects, oss.ListObjectsRequest)):
        page = run(request(BUCKET, prefix="list/", delimiter="/"))
        same(([entry.prefix for entry in page.common_prefixes], keys(page)), (["list/a/", "list/b/"], ["list/z"]))


@operation
def list_pages():
    pages = list(client.list_objects_v2_paginator(limit=2).iter_page(oss.ListObjectsV2Request(BUCKET, prefix="list/")))
    same([len(page.contents) for page in pages], [2, 2, 2, 2, 1])
    same([key for page in pages for key in keys(page)], KEYS)


@operation
def delete():
    same(client.delete_object(oss.DeleteObjectRequest(BUCKET, KEYS[0])).status_code, 204)
    same(refusal(lambda: body(KEYS[0])), ("NoSuchKey", 404))
    same(client.delete_object(oss.DeleteObjectRequest(BUCKET, KEYS[0])).status_code, 204)


@operation
def delete_many():
    wanted = [*KEYS[1:3], "not-there"]
    objects = [oss.DeleteObject(key) for key in wanted]
    answer = client.delete_multiple_objects(oss.DeleteMultipleObjectsRequest(BUCKET, encoding_type="url", objects=objects))
    same(sorted(entry.key for entry in answer.deleted_objects), sorted(wanted))
    same(keys(client.list_objects_v2(oss.ListObjectsV2Request(BUCKET, prefix="list/"))), KEYS[3:])
    quiet = client.delete_multiple_objects(oss.DeleteMultipleObjectsRequest(BUCKET, objects=[oss.DeleteObject(KEYS[3])], quiet=True))
    same(quiet.deleted_objects or [], [])
    same(refusal(lambda: body(KEYS[3])), ("NoSuchKey", 404))


def upload_part(key, upload, number, data):
    etag = client.upload_part(oss.UploadPartRequest(BUCKET, key, number, upload, body=data)).etag
    return oss.UploadPart(part_number=number, etag=etag)


def begin(key, **more):
    return client.initiate_multipart_upload(oss.InitiateMultipartUploadRequest(BUCKET, key, **more)).upload_id


def complete(key, upload, parts):
    parts = oss.CompleteMultipartUpload(parts=parts)
    return client.complete_multipart_upload(oss.CompleteMultipartUploadRequest(BUCKET, key, upload, complete_multipart_upload=parts))


@operation
def multipart():
    wanted = large(11 * MIB)
    upload = begin("large", content_type="image/png", metadata={"owner": "7"})
    parts = [upload_part("large", upload, number, wanted[(number - 1) * 5 * MIB : number * 5 * MIB]) for number in (1, 2, 3)]
    same(refusal(lambda: body("large")), ("NoSuchKey", 404))
    done = complete("large", upload, parts)
    assert done.etag.endswith('-3"') and done.hash_crc64, done.etag
    found = get_object("large")
    assert found.body.read() == wanted
    same((found.content_type, found.metadata["owner"], found.etag, found.hash_crc64), ("image/png", "7", done.etag, done.hash_crc64))


@operation
def list_parts():
    upload = begin("parts")
    for number in (1, 2, 4):
        upload_part("parts", upload, number, PICTURE)
    pages = list(client.list_parts_paginator(limit=2).iter_page(oss.ListPartsRequest(BUCKET, "parts", upload)))
    same([[(part.part_number, part.size) for part in page.parts] for page in pages], [[(1, 28), (2, 28)], [(4, 28)]])
    found = [entry for page in client.list_multipart_uploads_paginator().iter_page(oss.ListMultipartUploadsRequest(BUCKET)) for entry in page.uploads]
    same([(entry.key, entry.upload_id) for entry in found], [("parts", upload)])
    parts = [oss.UploadPart(part_number=part.part_number, etag=part.etag) for page in pages for part in page.parts]
    same(refusal(lambda: complete("parts", upload, parts)), ("EntityTooSmall", 400))
    client.abort_multipart_upload(oss.AbortMultipartUploadRequest(BUCKET, "parts", upload))


@operation
def copy_part():
    upload = begin("copied")
    request = oss.UploadPartCopyRequest(BUCKET, "copied", 1, upload, source_bucket=BUCKET, source_key="large", source_range=f"bytes=1-{MIB}")
    complete("copied", upload, [oss.UploadPart(part_number=1, etag=client.upload_part_copy(request).etag)])
    assert body("copied") == large(11 * MIB)[1 : MIB + 1]


@operation
def abort_multipart():
    upload = begin("aborted")
    upload_part("aborted", upload, 1, PICTURE)
    same(client.abort_multipart_upload(oss.AbortMultipartUploadRequest(BUCKET, "aborted", upload)).status_code, 204)
    same(refusal(lambda: client.list_parts(oss.ListPartsRequest(BUCKET, "aborted", upload))), ("NoSuchUpload", 404))


@operation
def transfer():
    """The uploader and the downloader: files in parts, in several threads, checked by CRC-64."""
    with tempfile.TemporaryDirectory() as folder:
        here, there = os.path.join(folder, "here.png"), os.path.join(folder, "there.png")
        with open(here, "wb") as file:
            file.write(large(5 * MIB))
        done = client.uploader(part_size=2 * MIB, parallel_num=3).upload_file(oss.PutObjectRequest(BUCKET, "transferred"), filepath=here)
        assert done.etag.endswith('-3"'), done.etag
        client.downloader(part_size=MIB, parallel_num=3).download_file(oss.GetObjectRequest(BUCKET, "transferred"), filepath=there)
        with open(there, "rb") as file:
            assert file.read() == large(5 * MIB)
    client.uploader(part_size=MIB).upload_from(oss.PutObjectRequest(BUCKET, "from a stream"), io.BytesIO(large(3 * MIB)))
    copied = client.copier(part_size=MIB).copy(oss.CopyObjectRequest(BUCKET, "copied again", source_bucket=BUCKET, source_key="from a stream"))
    same(copied.status_code, 200)
    assert body("copied again") == large(3 * MIB)


@operation
def presign_get():
    signed = client.presign(oss.GetObjectRequest(BUCKET, AWKWARD, response_content_type="text/x-picture"), expires=datetime.timedelta(seconds=60))
    answer = requests.get(signed.url, headers=signed.signed_headers)
    same((answer.status_code, answer.content, answer.headers["content-type"]), (200, PICTURE, "text/x-picture"))
    answer = requests.get(signed.url.replace("x-picture", "x-other"), headers=signed.signed_headers)
    assert answer.status_code == 403 and "<Code>SignatureDoesNotMatch</Code>" in answer.text


@operation
def presign_put():
    signed = client.presign(oss.PutObjectRequest(BUCKET, "presigned", content_type="image/png"), expires=datetime.timedelta(seconds=60))
    same(requests.put(signed.url, data=PICTURE, headers=signed.signed_headers).status_code, 200)
    found = get_object("presigned")
    same((found.body.read(), found.content_type), (PICTURE, "image/png"))
    same(requests.put(signed.url, data=PICTURE, headers={"content-type": "text/plain"}).status_code, 403)


@operation
def wrong_secret():
    other = connect(secret="not-the-secret")
    same(refusal(lambda: other.put_object(oss.PutObjectRequest(BUCKET, "forged", body=b"1"))), ("SignatureDoesNotMatch", 403))
    same(refusal(lambda: other.list_objects_v2(oss.ListObjectsV2Request(BUCKET))), ("SignatureDoesNotMatch", 403))
    same(refusal(lambda: body("forged")), ("NoSuchKey", 404))


@operation
def other_clock():
    other = connect(OTHER_CLOCK)
    same(refusal(lambda: other.list_objects_v2(oss.ListObjectsV2Request("media"))), ("RequestTimeTooSkewed", 403))


@operation
def delete_bucket():
    same(refusal(lambda: client.delete_bucket(oss.DeleteBucketRequest(BUCKET))), ("BucketNotEmpty", 409))
    for page in client.list_objects_v2_paginator().iter_page(oss.ListObjectsV2Request(BUCKET)):
        client.delete_multiple_objects(oss.DeleteMultipleObjectsRequest(BUCKET, objects=[oss.DeleteObject(key) for key in keys(page)], quiet=True))
    same(client.delete_bucket(oss.DeleteBucketRequest(BUCKET)).status_code, 204)
    same(refusal(lambda: client.list_objects_v2(oss.ListObjectsV2Request(BUCKET))), ("NoSuchBucket", 404))
