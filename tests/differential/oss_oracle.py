"""Presigns OSS requests with the signer of the Alibaba Cloud OSS Python SDK V2.

The SDK builds the URL, canonicalises and signs. ``Client.presign`` is not called: it knows seven operations, reads
the clock twice and never hands additional headers to its signer. README.md describes the lines that are read and
written.
"""

import datetime
import types
from urllib.parse import quote, urlencode, urlsplit

from alibabacloud_oss_v2._client import AddressStyle, _build_url
from alibabacloud_oss_v2.credentials import Credentials
from alibabacloud_oss_v2.endpoints import from_region
from alibabacloud_oss_v2.signer.v4 import SignerV4
from alibabacloud_oss_v2.types import HttpRequest, OperationInput, SigningContext

from oracle import CannotExpress, refuse_repeated_names, serve

STYLES = {"virtual": AddressStyle.Virtual, "path": AddressStyle.Path, "custom-domain": AddressStyle.CName}


def sign(request):
    refuse_unsignable_headers(request["headers"])
    refuse_repeated_names(request["query"])

    now = datetime.datetime.strptime(request["date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    context = SigningContext(
        product=request.get("product", "oss"),
        region=request["region"],
        bucket=request["bucket"],
        key=request["key"] or "",
        request=HttpRequest(request["method"], url(request), headers=request["headers"]),
        credentials=Credentials(
            request["access_key_id"], request["secret_access_key"], request.get("session_token")
        ),
        signing_time=now,
        additional_headers={n for n in request["headers"] if not SignerV4.is_signed_header(n)},
    )
    context.auth_method_query = True
    context.expiration_time = now + datetime.timedelta(seconds=request["expires"])
    SignerV4().sign(context)
    return context.request.url


def url(request):
    """The URL without authentication, as the SDK writes it; a base path of the endpoint is put back, which it drops."""
    if request["addressing"] == "custom-domain" and not request["endpoint"]:
        raise CannotExpress("a custom domain needs its endpoint")
    endpoint = urlsplit(request["endpoint"] or from_region(request["region"], False, "default"))
    options = types.SimpleNamespace(endpoint=endpoint, address_style=STYLES[request["addressing"]])
    operation = OperationInput(
        op_name=request["operation"], method=request["method"], bucket=request["bucket"], key=request["key"]
    )
    built = _build_url(operation, options)
    base_path = endpoint.path.rstrip("/")
    if base_path:
        scheme, _, rest = built.partition("://")
        host, _, path = rest.partition("/")
        built = f"{scheme}://{host}{base_path}/{path}"
    if request["query"]:
        built += "?" + urlencode([tuple(pair) for pair in request["query"]], quote_via=quote)
    return built


def refuse_unsignable_headers(headers):
    for name, value in headers.items():
        if value != value.strip():
            raise CannotExpress(f"the SDK signs the outer blanks of {name}, the service trims them")
        if value == "" and not SignerV4.is_signed_header(name):
            raise CannotExpress(f"the SDK drops the additional header {name} because it is empty")


if __name__ == "__main__":
    serve(sign)
