"""Presigns S3 requests with the botocore client.

The client resolves the endpoint, places and encodes bucket and key, canonicalises and signs. Headers and query of
the request replace its own just before it signs, so that names which the client has no parameter for can be tried
too. README.md describes the lines that are read and written.
"""

import datetime
import functools
import os

import botocore.auth
import botocore.session
from botocore.config import Config
from botocore.utils import percent_encode_sequence

from oracle import CannotExpress, refuse_repeated_names, serve

COPY = {"CopySource": "any/any"}
UPLOAD = {"UploadId": "any"}
PART = {"UploadId": "any", "PartNumber": 1}

# The client's method for each operation, and values for the parameters that it insists on; what they would add to
# the request is replaced by the request's own headers and query.
CLIENT_METHODS = {
    "get": ("get_object", {}),
    "head": ("head_object", {}),
    "put": ("put_object", {}),
    "delete": ("delete_object", {}),
    "copy": ("copy_object", COPY),
    "create-multipart": ("create_multipart_upload", {}),
    "upload-part": ("upload_part", PART),
    "upload-part-copy": ("upload_part_copy", PART | COPY),
    "complete-multipart": ("complete_multipart_upload", UPLOAD),
    "abort-multipart": ("abort_multipart_upload", UPLOAD),
    "list-parts": ("list_parts", UPLOAD),
    "list": ("list_objects_v2", {}),
}

# Nothing of the machine's own configuration may have a say.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull

SESSION = botocore.session.Session()
SESSION.set_credentials("unset", "unset")
CREDENTIALS = SESSION.get_credentials()  # every client of the session reads them from this object

current = None  # the request being signed: the hooks below look at it


@functools.lru_cache(maxsize=64)
def client(region, endpoint, style):
    """The client for a store, which asks for the regional host also in us-east-1."""
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": style, "us_east_1_regional_endpoint": "regional"},
    )
    made = SESSION.create_client("s3", region_name=region, endpoint_url=endpoint, config=config)
    made.meta.events.register_last("before-sign.s3", put_in_place)
    return made


def put_in_place(request, **_):
    """Give the client's request the headers and the query that were asked for."""
    url = request.url.partition("?")[0]
    if current["addressing"] == "custom-domain":
        url = without_bucket(url, current["bucket"])
    elif current["addressing"] == "virtual" and f"://{current['bucket']}." not in url:
        raise CannotExpress("the SDK falls back to path style for this bucket or endpoint")
    request.params = {}
    request.url = url + "?" + percent_encode_sequence(current["query"]) if current["query"] else url
    for name in list(request.headers.keys()):
        del request.headers[name]
    for name, value in current["headers"].items():
        request.headers[name] = value


def without_bucket(url, bucket):
    """Path style with the bucket taken out: the host is the bucket's own."""
    base = current["endpoint"].rstrip("/")
    prefix = f"{base}/{bucket}"
    if not url.startswith(prefix):
        raise CannotExpress(f"expected {url} to start with {prefix}")
    return base + (url[len(prefix):] or "/")


def sign(request):
    global current
    refuse_unsignable_headers(request["headers"])
    refuse_repeated_names(request["query"])
    if request["addressing"] == "custom-domain" and not request["endpoint"]:
        raise CannotExpress("a custom domain needs its endpoint")
    if "%" in (request["endpoint"] or ""):
        raise CannotExpress("the SDK encodes an escape in the endpoint's base path once more")

    current = request
    now = datetime.datetime.strptime(request["date"], "%Y%m%dT%H%M%SZ")
    botocore.auth.get_current_datetime = lambda *_, **__: now
    CREDENTIALS.access_key = request["access_key_id"]
    CREDENTIALS.secret_key = request["secret_access_key"]
    CREDENTIALS.token = request.get("session_token")

    method, parameters = CLIENT_METHODS[request["operation"]]
    parameters = parameters | {"Bucket": request["bucket"]}
    if request["operation"] != "list":
        parameters["Key"] = request["key"]
    style = "virtual" if request["addressing"] == "virtual" else "path"
    return client(request["region"], request["endpoint"], style).generate_presigned_url(
        method, parameters, ExpiresIn=request["expires"], HttpMethod=request["method"]
    )


def refuse_unsignable_headers(headers):
    for name, value in headers.items():
        if name in botocore.auth.SIGNED_HEADERS_BLACKLIST:
            raise CannotExpress(f"the SDK never signs {name}")
        if name == "content-type" and value == "application/x-www-form-urlencoded; charset=utf-8":
            raise CannotExpress("the SDK takes this content type for its own default and drops it")
        if any(c.isspace() and c not in " \t" for c in value):
            raise CannotExpress(f"the SDK folds every Unicode blank in {name}, the service only space and tab")


if __name__ == "__main__":
    serve(sign)
