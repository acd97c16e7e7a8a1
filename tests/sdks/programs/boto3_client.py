"""boto3, the AWS SDK for Python: its client, its resources, its transfers, its presigned URLs and forms."""

import base64
import hashlib
import io
import os
import tempfile
import time

import boto3
import requests
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
from report import ACCESS_KEY_ID, AWKWARD, ENDPOINT, OTHER_CLOCK, PICTURE, REGION, SECRET, large, operation, raises, same

BUCKET = "from-boto3"
MIB = 1 << 20


def connect(endpoint=ENDPOINT, secret=SECRET, kind=boto3.client):
    # What presigns asks for Signature Version 4 by its name: without it boto3 presigns with Version 2.
    config = Config(signature_version="s3v4", retries={"max_attempts": 1})
    return kind("s3", endpoint_url=endpoint, region_name=REGION, aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=secret, config=config)


s3 = connect()


def code(error):
    return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]


def body(key, **more):
    return s3.get_object(Bucket=BUCKET, Key=key, **more)["Body"].read()


@operation
def create_bucket():
    same(code(raises(ClientError, lambda: s3.head_bucket(Bucket=BUCKET)))[1], 404)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.get_waiter("bucket_exists").wait(Bucket=BUCKET, WaiterConfig={"MaxAttempts": 1})
    same(code(raises(ClientError, lambda: s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})))[1], 409)


@operation
def list_buckets():
    assert BUCKET in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


@operation
def put():
    written = s3.put_object(Bucket=BUCKET, Key=AWKWARD, Body=PICTURE, ContentType="image/png", CacheControl="max-age=60", Metadata={"owner": "7", "when": "a  b"})
    assert written["ETag"].startswith('"')
    same(written["ResponseMetadata"]["HTTPStatusCode"], 200)
    s3.put_object(Bucket=BUCKET, Key="nothing", Body=b"")
    s3.put_object(Bucket=BUCKET, Key="by-sha256", Body=PICTURE, ChecksumAlgorithm="SHA256")


@operation
def get():
    found = s3.get_object(Bucket=BUCKET, Key=AWKWARD)
    same(found["Body"].read(), PICTURE)
    same((found["ContentType"], found["CacheControl"], found["ContentLength"]), ("image/png", "max-age=60", len(PICTURE)))
    same(body("nothing"), b"")
    same(s3.get_object(Bucket=BUCKET, Key="by-sha256", ChecksumMode="ENABLED")["ChecksumSHA256"], base64.b64encode(hashlib.sha256(PICTURE).digest()).decode())
    error = raises(s3.exceptions.NoSuchKey, lambda: body("not-there"))
    same(code(error), ("NoSuchKey", 404))


@operation
def head():
    found = s3.head_object(Bucket=BUCKET, Key=AWKWARD)
    same(found["ContentLength"], len(PICTURE))
    same(found["Metadata"]["owner"], "7")
    assert abs(found["LastModified"].timestamp() - time.time()) < 600
    same(code(raises(ClientError, lambda: s3.head_object(Bucket=BUCKET, Key="not-there"))), ("404", 404))


@operation
def range():
    found = s3.get_object(Bucket=BUCKET, Key=AWKWARD, Range="bytes=2-5")
    same(found["Body"].read(), PICTURE[2:6])
    same((found["ContentRange"], found["ResponseMetadata"]["HTTPStatusCode"]), (f"bytes 2-5/{len(PICTURE)}", 206))
    same(body(AWKWARD, Range="bytes=-3"), PICTURE[-3:])
    same(code(raises(ClientError, lambda: body(AWKWARD, Range="bytes=1000-"))), ("InvalidRange", 416))


@operation
def conditional_get():
    etag = s3.head_object(Bucket=BUCKET, Key=AWKWARD)["ETag"]
    same(body(AWKWARD, IfMatch=etag), PICTURE)
    same(code(raises(ClientError, lambda: body(AWKWARD, IfMatch='"other"')))[1], 412)
    same(code(raises(ClientError, lambda: body(AWKWARD, IfNoneMatch=etag)))[1], 304)
    modified = s3.head_object(Bucket=BUCKET, Key=AWKWARD)["LastModified"]
    same(code(raises(ClientError, lambda: body(AWKWARD, IfModifiedSince=modified)))[1], 304)


@operation
def conditional_put():
    error = raises(ClientError, lambda: s3.put_object(Bucket=BUCKET, Key=AWKWARD, Body=b"other", IfNoneMatch="*"))
    same(code(error), ("PreconditionFailed", 412))
    same(body(AWKWARD), PICTURE)
    s3.put_object(Bucket=BUCKET, Key="once", Body=b"1", IfNoneMatch="*")


@operation
def copy():
    s3.copy_object(Bucket=BUCKET, Key="copies/a copy", CopySource={"Bucket": BUCKET, "Key": AWKWARD})
    found = s3.get_object(Bucket=BUCKET, Key="copies/a copy")
    same((found["Body"].read(), found["ContentType"], found["Metadata"]["owner"]), (PICTURE, "image/png", "7"))
    s3.copy_object(
        Bucket=BUCKET, Key="copies/another", CopySource={"Bucket": BUCKET, "Key": AWKWARD}, MetadataDirective="REPLACE", ContentType="text/plain", Metadata={"new": "1"}
    )
    found = s3.head_object(Bucket=BUCKET, Key="copies/another")
    same((found["ContentType"], found["Metadata"]), ("text/plain", {"new": "1"}))
    error = raises(ClientError, lambda: s3.copy_object(Bucket=BUCKET, Key="copies/none", CopySource={"Bucket": BUCKET, "Key": "not-there"}))
    same(code(error), ("NoSuchKey", 404))


KEYS = [f"list/{folder}/{n} ü" for folder in ("a", "b") for n in "0123"] + ["list/z"]


@operation
def list_v2():
    for key in KEYS:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"1234")
    page = s3.list_objects_v2(Bucket=BUCKET, Prefix="list/")
    same([entry["Key"] for entry in page["Contents"]], KEYS)
    same((page["KeyCount"], page["IsTruncated"], page["Contents"][0]["Size"]), (9, False, 4))
    same(AWKWARD in [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]], True)
    page = s3.list_objects_v2(Bucket=BUCKET, Prefix="list/", StartAfter=KEYS[6])
    same([entry["Key"] for entry in page["Contents"]], KEYS[7:])


@operation
def list_v1():
    page = s3.list_objects(Bucket=BUCKET, Prefix="list/", MaxKeys=5)
    same([entry["Key"] for entry in page["Contents"]], KEYS[:5])
    same(page["IsTruncated"], True)
    page = s3.list_objects(Bucket=BUCKET, Prefix="list/", Marker=KEYS[4])
    same([entry["Key"] for entry in page["Contents"]], KEYS[5:])
    pages = s3.get_paginator("list_objects").paginate(Bucket=BUCKET, Prefix="list/", PaginationConfig={"PageSize": 4})
    same([entry["Key"] for page in pages for entry in page["Contents"]], KEYS)


@operation
def list_delimiter():
    for list_objects in (s3.list_objects_v2, s3.list_objects):
        page = list_objects(Bucket=BUCKET, Prefix="list/", Delimiter="/")
        same([entry["Prefix"] for entry in page["CommonPrefixes"]], ["list/a/", "list/b/"])
        same([entry["Key"] for entry in page["Contents"]], ["list/z"])
    pages = s3.get_paginator("list_objects").paginate(Bucket=BUCKET, Prefix="list/", Delimiter="/", PaginationConfig={"PageSize": 1})
    same([(page.get("CommonPrefixes") or page["Contents"])[0] for page in pages], [{"Prefix": "list/a/"}, {"Prefix": "list/b/"}, page["Contents"][0]])


@operation
def list_pages():
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="list/", PaginationConfig={"PageSize": 2}))
    same([len(page["Contents"]) for page in pages], [2, 2, 2, 2, 1])
    same([entry["Key"] for page in pages for entry in page["Contents"]], KEYS)


@operation
def delete():
    s3.delete_object(Bucket=BUCKET, Key=KEYS[0])
    raises(s3.exceptions.NoSuchKey, lambda: body(KEYS[0]))
    s3.delete_object(Bucket=BUCKET, Key=KEYS[0])


@operation
def delete_many():
    wanted = [{"Key": key} for key in KEYS[1:3]] + [{"Key": "not-there"}]
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": wanted})
    same(sorted(entry["Key"] for entry in answer["Deleted"]), sorted(entry["Key"] for entry in wanted))
    assert "Errors" not in answer
    same([entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix="list/")["Contents"]], KEYS[3:])
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": KEYS[3]}], "Quiet": True})
    assert "Deleted" not in answer and "Errors" not in answer


@operation
def multipart():
    bytes_ = large(11 * MIB)
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="large", ContentType="image/png", Metadata={"owner": "7"})["UploadId"]
    parts = []
    for number, part in enumerate((bytes_[: 5 * MIB], bytes_[5 * MIB : 10 * MIB], bytes_[10 * MIB :]), 1):
        etag = s3.upload_part(Bucket=BUCKET, Key="large", UploadId=upload, PartNumber=number, Body=part)["ETag"]
        parts.append({"PartNumber": number, "ETag": etag})
    raises(s3.exceptions.NoSuchKey, lambda: body("large"))
    done = s3.complete_multipart_upload(Bucket=BUCKET, Key="large", UploadId=upload, MultipartUpload={"Parts": parts})
    assert done["ETag"].endswith('-3"'), done["ETag"]
    found = s3.get_object(Bucket=BUCKET, Key="large")
    assert found["Body"].read() == bytes_
    same((found["ContentType"], found["Metadata"], found["ETag"]), ("image/png", {"owner": "7"}, done["ETag"]))


@operation
def list_parts():
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    for number in (1, 2, 4):
        s3.upload_part(Bucket=BUCKET, Key="parts", UploadId=upload, PartNumber=number, Body=PICTURE)
    pages = list(s3.get_paginator("list_parts").paginate(Bucket=BUCKET, Key="parts", UploadId=upload, PaginationConfig={"PageSize": 2}))
    same([(part["PartNumber"], part["Size"]) for page in pages for part in page["Parts"]], [(1, len(PICTURE)), (2, len(PICTURE)), (4, len(PICTURE))])
    uploads = s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    same([(entry["Key"], entry["UploadId"]) for entry in uploads], [("parts", upload)])
    parts = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for page in pages for part in page["Parts"]]
    complete = lambda: s3.complete_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})
    same(code(raises(ClientError, complete)), ("EntityTooSmall", 400))
    s3.abort_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload)


@operation
def copy_part():
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="copied")["UploadId"]
    source = {"Bucket": BUCKET, "Key": "large"}
    copied = s3.upload_part_copy(Bucket=BUCKET, Key="copied", UploadId=upload, PartNumber=1, CopySource=source, CopySourceRange=f"bytes=1-{5 * MIB}")
    parts = [{"PartNumber": 1, "ETag": copied["CopyPartResult"]["ETag"]}]
    s3.complete_multipart_upload(Bucket=BUCKET, Key="copied", UploadId=upload, MultipartUpload={"Parts": parts})
    assert body("copied") == large(11 * MIB)[1 : 5 * MIB + 1]


@operation
def abort_multipart():
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="aborted")["UploadId"]
    s3.upload_part(Bucket=BUCKET, Key="aborted", UploadId=upload, PartNumber=1, Body=PICTURE)
    s3.abort_multipart_upload(Bucket=BUCKET, Key="aborted", UploadId=upload)
    error = raises(s3.exceptions.NoSuchUpload, lambda: s3.list_parts(Bucket=BUCKET, Key="aborted", UploadId=upload))
    same(code(error), ("NoSuchUpload", 404))


@operation
def transfer():
    """`upload_file` and `download_file` in parts, in several threads."""
    config = TransferConfig(multipart_threshold=6 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)
    with tempfile.TemporaryDirectory() as folder:
        here, there = os.path.join(folder, "here"), os.path.join(folder, "there")
        with open(here, "wb") as file:
            file.write(large(12 * MIB))
        s3.upload_file(here, BUCKET, "transferred", ExtraArgs={"ContentType": "image/png"}, Config=config)
        same(s3.head_object(Bucket=BUCKET, Key="transferred")["ContentType"], "image/png")
        s3.download_file(BUCKET, "transferred", there, Config=config)
        with open(there, "rb") as file:
            assert file.read() == large(12 * MIB)
    s3.copy({"Bucket": BUCKET, "Key": "transferred"}, BUCKET, "transferred again", Config=config)
    target = io.BytesIO()
    s3.download_fileobj(BUCKET, "transferred again", target)
    assert target.getvalue() == large(12 * MIB)


@operation
def resource():
    bucket = connect(kind=boto3.resource).Bucket(BUCKET)
    bucket.Object("from/resource").put(Body=PICTURE)
    bucket.upload_fileobj(io.BytesIO(PICTURE), "from/file")
    same([entry.key for entry in bucket.objects.filter(Prefix="from/")], ["from/file", "from/resource"])
    same(bucket.Object("from/file").get()["Body"].read(), PICTURE)
    bucket.objects.filter(Prefix="from/").delete()
    same(list(bucket.objects.filter(Prefix="from/")), [])


@operation
def presign_get():
    url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": AWKWARD, "ResponseContentType": "text/x-picture"}, ExpiresIn=60)
    answer = requests.get(url)
    same((answer.status_code, answer.content, answer.headers["content-type"]), (200, PICTURE, "text/x-picture"))
    answer = requests.get(url.replace("x-picture", "x-other"))
    assert answer.status_code == 403 and "<Code>SignatureDoesNotMatch</Code>" in answer.text


@operation
def presign_put():
    url = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "presigned", "ContentType": "image/png"}, ExpiresIn=60)
    same(requests.put(url, data=PICTURE, headers={"content-type": "image/png"}).status_code, 200)
    found = s3.get_object(Bucket=BUCKET, Key="presigned")
    same((found["Body"].read(), found["ContentType"]), (PICTURE, "image/png"))
    same(requests.put(url, data=PICTURE, headers={"content-type": "text/plain"}).status_code, 403)


@operation
def post():
    conditions = [["content-length-range", 1, 1000], ["starts-with", "$Content-Type", "image/"]]
    form = s3.generate_presigned_post(BUCKET, "forms/${filename}", Conditions=conditions, ExpiresIn=60)
    sent = lambda content_type: requests.post(form["url"], data={**form["fields"], "Content-Type": content_type}, files={"file": ("a b.png", PICTURE)})
    same(sent("image/png").status_code, 204)
    found = s3.get_object(Bucket=BUCKET, Key="forms/a b.png")
    same((found["Body"].read(), found["ContentType"]), (PICTURE, "image/png"))
    same(sent("text/plain").status_code, 403)


@operation
def wrong_secret():
    other = connect(secret="not-the-secret")
    error = raises(ClientError, lambda: other.put_object(Bucket=BUCKET, Key="forged", Body=b"1"))
    same(code(error), ("SignatureDoesNotMatch", 403))
    same(code(raises(ClientError, lambda: other.list_objects_v2(Bucket=BUCKET))), ("SignatureDoesNotMatch", 403))
    raises(s3.exceptions.NoSuchKey, lambda: body("forged"))


@operation
def other_clock():
    other = connect(OTHER_CLOCK)
    same(code(raises(ClientError, lambda: other.list_objects_v2(Bucket="media"))), ("RequestTimeTooSkewed", 403))


@operation
def delete_bucket():
    same(code(raises(ClientError, lambda: s3.delete_bucket(Bucket=BUCKET))), ("BucketNotEmpty", 409))
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": entry["Key"]} for entry in page["Contents"]]})
        assert "Errors" not in answer, answer
    s3.delete_bucket(Bucket=BUCKET)
    same(code(raises(s3.exceptions.NoSuchBucket, lambda: s3.list_objects_v2(Bucket=BUCKET))), ("NoSuchBucket", 404))
