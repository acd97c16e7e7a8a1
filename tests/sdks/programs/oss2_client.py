"""oss2, the OSS SDK V1 for Python, with signatures of version 4."""

import os
import tempfile
import time

import oss2
import requests
from report import ACCESS_KEY_ID, AWKWARD, ENDPOINT, OTHER_CLOCK, PICTURE, REGION, SECRET, large, operation, raises, same

BUCKET = "from-oss2"
MIB = 1 << 20


def connect(endpoint=ENDPOINT, secret=SECRET, bucket=BUCKET):
    auth = oss2.ProviderAuthV4(oss2.credentials.StaticCredentialsProvider(ACCESS_KEY_ID, secret))
    return oss2.Bucket(auth, endpoint, bucket, region=REGION)


bucket = connect()


def refusal(run, kind=oss2.exceptions.ServerError):
    error = raises(kind, run)
    return error.code, error.status


def body(key, **more):
    return bucket.get_object(key, **more).read()


@operation
def create_bucket():
    refusal(bucket.get_bucket_info, oss2.exceptions.NoSuchBucket)
    same(bucket.create_bucket().status, 200)
    same(bucket.get_bucket_info().name, BUCKET)


@operation
def list_buckets():
    service = oss2.Service(bucket.auth, ENDPOINT, region=REGION)
    assert BUCKET in [entry.name for entry in oss2.BucketIterator(service)]


@operation
def put():
    headers = {"Content-Type": "image/png", "Cache-Control": "max-age=60", "x-oss-meta-owner": "7"}
    written = bucket.put_object(AWKWARD, PICTURE, headers=headers)
    same(written.status, 200)
    assert written.crc, "no CRC-64"
    bucket.put_object("nothing", b"")
    # Of a stream it does not know the length: chunks.
    bucket.put_object("streamed", iter([PICTURE, PICTURE]))
    same(body("streamed"), PICTURE * 2)


@operation
def get():
    found = bucket.get_object(AWKWARD)
    same(found.read(), PICTURE)
    same((found.content_type, found.headers["cache-control"], found.content_length), ("image/png", "max-age=60", len(PICTURE)))
    same(found.client_crc, found.server_crc)
    same(body("nothing"), b"")
    same(refusal(lambda: body("not-there"), oss2.exceptions.NoSuchKey), ("NoSuchKey", 404))


@operation
def head():
    found = bucket.head_object(AWKWARD)
    same((found.content_length, found.headers["x-oss-meta-owner"]), (len(PICTURE), "7"))
    assert abs(found.last_modified - time.time()) < 600
    same(raises(oss2.exceptions.NotFound, lambda: bucket.head_object("not-there")).status, 404)
    same((bucket.object_exists(AWKWARD), bucket.object_exists("not-there")), (True, False))


@operation
def range():
    found = bucket.get_object(AWKWARD, byte_range=(2, 5))
    same((found.read(), found.status), (PICTURE[2:6], 206))
    same(body(AWKWARD, byte_range=(None, 3)), PICTURE[-3:])
    same(refusal(lambda: body(AWKWARD, byte_range=(1000, None), headers={"x-oss-range-behavior": "standard"})), ("InvalidRange", 416))


@operation
def conditional_get():
    found = bucket.head_object(AWKWARD)
    same(body(AWKWARD, headers={"If-Match": found.headers["etag"]}), PICTURE)
    same(raises(oss2.exceptions.PreconditionFailed, lambda: body(AWKWARD, headers={"If-Match": '"other"'})).status, 412)
    raises(oss2.exceptions.NotModified, lambda: body(AWKWARD, headers={"If-None-Match": found.headers["etag"]}))
    raises(oss2.exceptions.NotModified, lambda: body(AWKWARD, headers={"If-Modified-Since": found.headers["last-modified"]}))


@operation
def conditional_put():
    create_only = {"x-oss-forbid-overwrite": "true"}
    same(refusal(lambda: bucket.put_object(AWKWARD, b"other", headers=create_only)), ("FileAlreadyExists", 409))
    same(body(AWKWARD), PICTURE)
    bucket.put_object("once", b"1", headers=create_only)


@operation
def copy():
    bucket.copy_object(BUCKET, AWKWARD, "copies/a copy")
    found = bucket.get_object("copies/a copy")
    same((found.read(), found.content_type, found.headers["x-oss-meta-owner"]), (PICTURE, "image/png", "7"))
    headers = {"x-oss-metadata-directive": "REPLACE", "Content-Type": "text/plain", "x-oss-meta-new": "1"}
    bucket.copy_object(BUCKET, AWKWARD, "copies/another", headers=headers)
    found = bucket.head_object("copies/another")
    same((found.content_type, found.headers["x-oss-meta-new"], "x-oss-meta-owner" in found.headers), ("text/plain", "1", False))
    bucket.update_object_meta("copies/another", {"x-oss-meta-new": "2"})
    same(bucket.head_object("copies/another").headers["x-oss-meta-new"], "2")
    same(refusal(lambda: bucket.copy_object(BUCKET, "not-there", "copies/none"), oss2.exceptions.NoSuchKey), ("NoSuchKey", 404))


KEYS = [f"list/{folder}/{n} ü" for folder in ("a", "b") for n in "0123"] + ["list/z"]


def keys(page):
    return [entry.key for entry in page.object_list]


@operation
def list_v2():
    for key in KEYS:
        bucket.put_object(key, b"1234")
    page = bucket.list_objects_v2(prefix="list/")
    same((keys(page), page.is_truncated, page.object_list[0].size), (KEYS, False, 4))
    assert AWKWARD in keys(bucket.list_objects_v2())
    same(keys(bucket.list_objects_v2(prefix="list/", start_after=KEYS[6])), KEYS[7:])


@operation
def list_v1():
    page = bucket.list_objects(prefix="list/", max_keys=5)
    same((keys(page), page.is_truncated, page.next_marker), (KEYS[:5], True, KEYS[4]))
    same(keys(bucket.list_objects(prefix="list/", marker=KEYS[4])), KEYS[5:])
    same([entry.key for entry in oss2.ObjectIterator(bucket, prefix="list/", max_keys=4)], KEYS)


@operation
def list_delimiter():
    for page in (bucket.list_objects_v2(prefix="list/", delimiter="/"), bucket.list_objects(prefix="list/", delimiter="/")):
        same((page.prefix_list, keys(page)), (["list/a/", "list/b/"], ["list/z"]))


@operation
def list_pages():
    same([entry.key for entry in oss2.ObjectIteratorV2(bucket, prefix="list/", max_keys=2)], KEYS)


@operation
def delete():
    same(bucket.delete_object(KEYS[0]).status, 204)
    same(refusal(lambda: body(KEYS[0]), oss2.exceptions.NoSuchKey), ("NoSuchKey", 404))
    same(bucket.delete_object(KEYS[0]).status, 204)


@operation
def delete_many():
    wanted = [*KEYS[1:3], "not-there"]
    same(sorted(bucket.batch_delete_objects(wanted).deleted_keys), sorted(wanted))
    same(keys(bucket.list_objects_v2(prefix="list/")), KEYS[3:])


def upload_part(key, upload, number, data):
    return oss2.models.PartInfo(number, bucket.upload_part(key, upload, number, data).etag, size=len(data))


@operation
def multipart():
    wanted = large(11 * MIB)
    upload = bucket.init_multipart_upload("large", headers={"Content-Type": "image/png", "x-oss-meta-owner": "7"}).upload_id
    parts = [upload_part("large", upload, number, wanted[(number - 1) * 5 * MIB : number * 5 * MIB]) for number in (1, 2, 3)]
    raises(oss2.exceptions.NoSuchKey, lambda: body("large"))
    done = bucket.complete_multipart_upload("large", upload, parts)
    assert done.etag.endswith("-3"), done.etag
    found = bucket.get_object("large")
    assert found.read() == wanted
    same((found.content_type, found.headers["x-oss-meta-owner"], found.client_crc), ("image/png", "7", found.server_crc))


@operation
def list_parts():
    upload = bucket.init_multipart_upload("parts").upload_id
    for number in (1, 2, 4):
        upload_part("parts", upload, number, PICTURE)
    found = list(oss2.PartIterator(bucket, "parts", upload, max_parts=2))
    same([(part.part_number, part.size) for part in found], [(1, 28), (2, 28), (4, 28)])
    same([(entry.key, entry.upload_id) for entry in oss2.MultipartUploadIterator(bucket)], [("parts", upload)])
    same(refusal(lambda: bucket.complete_multipart_upload("parts", upload, found)), ("EntityTooSmall", 400))
    bucket.abort_multipart_upload("parts", upload)


@operation
def copy_part():
    upload = bucket.init_multipart_upload("copied").upload_id
    etag = bucket.upload_part_copy(BUCKET, "large", (1, MIB), "copied", upload, 1).etag
    bucket.complete_multipart_upload("copied", upload, [oss2.models.PartInfo(1, etag)])
    assert body("copied") == large(11 * MIB)[1 : MIB + 1]


@operation
def abort_multipart():
    upload = bucket.init_multipart_upload("aborted").upload_id
    upload_part("aborted", upload, 1, PICTURE)
    same(bucket.abort_multipart_upload("aborted", upload).status, 204)
    same(refusal(lambda: bucket.list_parts("aborted", upload), oss2.exceptions.NoSuchUpload), ("NoSuchUpload", 404))


@operation
def transfer():
    """Resumable upload and download: files in parts, in several threads."""
    with tempfile.TemporaryDirectory() as folder:
        here, there = os.path.join(folder, "here.png"), os.path.join(folder, "there.png")
        with open(here, "wb") as file:
            file.write(large(5 * MIB))
        places = {"store": oss2.ResumableStore(root=folder), "multipart_threshold": MIB, "part_size": 2 * MIB, "num_threads": 3}
        oss2.resumable_upload(bucket, "transferred.png", here, **places)
        same(bucket.head_object("transferred.png").content_type, "image/png")
        places = {"store": oss2.ResumableDownloadStore(root=folder), "multiget_threshold": MIB, "part_size": MIB, "num_threads": 3}
        oss2.resumable_download(bucket, "transferred.png", there, **places)
        with open(there, "rb") as file:
            assert file.read() == large(5 * MIB)


@operation
def presign_get():
    url = bucket.sign_url("GET", AWKWARD, 60, params={"response-content-type": "text/x-picture"}, slash_safe=True)
    answer = requests.get(url)
    same((answer.status_code, answer.content, answer.headers["content-type"]), (200, PICTURE, "text/x-picture"))
    same(requests.get(bucket.sign_url("GET", AWKWARD, 60)).content, PICTURE)
    answer = requests.get(url.replace("x-picture", "x-other"))
    assert answer.status_code == 403 and "<Code>SignatureDoesNotMatch</Code>" in answer.text


@operation
def presign_put():
    headers = {"Content-Type": "image/png", "x-oss-meta-owner": "7"}
    url = bucket.sign_url("PUT", "presigned", 60, headers=headers, slash_safe=True)
    same(bucket.put_object_with_url(url, PICTURE, headers=headers).status, 200)
    found = bucket.get_object("presigned")
    same((found.read(), found.content_type, found.headers["x-oss-meta-owner"]), (PICTURE, "image/png", "7"))
    same(refusal(lambda: bucket.put_object_with_url(url, PICTURE, headers={**headers, "Content-Type": "text/plain"}))[0], "SignatureDoesNotMatch")


@operation
def wrong_secret():
    other = connect(secret="not-the-secret")
    wanted = ("SignatureDoesNotMatch", 403)
    same(refusal(lambda: other.put_object("forged", b"1"), oss2.exceptions.SignatureDoesNotMatch), wanted)
    same(refusal(lambda: other.list_objects_v2(), oss2.exceptions.SignatureDoesNotMatch), wanted)
    raises(oss2.exceptions.NoSuchKey, lambda: body("forged"))


@operation
def other_clock():
    other = connect(OTHER_CLOCK, bucket="media")
    same(refusal(lambda: other.list_objects_v2()), ("RequestTimeTooSkewed", 403))


@operation
def delete_bucket():
    same(refusal(bucket.delete_bucket, oss2.exceptions.BucketNotEmpty), ("BucketNotEmpty", 409))
    bucket.batch_delete_objects([entry.key for entry in oss2.ObjectIteratorV2(bucket)])
    same(bucket.delete_bucket().status, 204)
    same(refusal(bucket.list_objects_v2, oss2.exceptions.NoSuchBucket), ("NoSuchBucket", 404))
