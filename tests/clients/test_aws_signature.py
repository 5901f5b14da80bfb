"""AWS' own test vectors for Signature Version 4.

From: the suite aws-sig-v4-test-suite that AWS published with its guide, and keeps in the repository aws-c-auth; those
of its cases whose addresses have no query. And the examples of S3's own guide.
"""

from __future__ import annotations

import pytest

from shipline.clients.aws_signature import AWSCredentials, AWSRequest, Scope, signature_headers

CREDENTIALS = AWSCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
SCOPE = Scope("us-east-1", "service")
NOW_US = 1_440_938_160_000_000  # 2015-08-30T12:36:00Z
HOST = {"Host": "example.amazonaws.com"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

VECTORS = {
    "get-vanilla": (
        AWSRequest("GET", "/", HOST, b""),
        "host;x-amz-date",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    "post-vanilla": (
        AWSRequest("POST", "/", HOST, b""),
        "host;x-amz-date",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    "post-header-key-sort": (
        AWSRequest("POST", "/", HOST | {"My-Header1": "value1"}, b""),
        "host;my-header1;x-amz-date",
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    ),
    "get-header-value-trim": (
        AWSRequest("GET", "/", HOST | {"My-Header1": " value1", "My-Header2": ' "a   b   c"'}, b""),
        "host;my-header1;my-header2;x-amz-date",
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    "post-x-www-form-urlencoded": (
        AWSRequest("POST", "/", HOST | FORM, b"Param1=value1"),
        "content-type;host;x-amz-date",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
}


@pytest.mark.parametrize(("request_", "signed", "signature"), list(VECTORS.values()), ids=list(VECTORS))
def test_the_published_vectors_are_signed_as_published(request_: AWSRequest, signed: str, signature: str) -> None:
    headers = signature_headers(request_, CREDENTIALS, SCOPE, now_us=NOW_US)
    assert headers == {
        "X-Amz-Date": "20150830T123600Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={signed}, Signature={signature}",
    }


def test_a_session_token_is_sent_and_signed() -> None:
    """Or the signature would be good for another session."""
    request = AWSRequest("POST", "/", HOST, b"")
    both = [
        signature_headers(request, AWSCredentials("AKIDEXAMPLE", "key", token), SCOPE, now_us=NOW_US)
        for token in ("one", "two")
    ]
    assert [headers["X-Amz-Security-Token"] for headers in both] == ["one", "two"]
    assert all("host;x-amz-date;x-amz-security-token" in headers["Authorization"] for headers in both)
    assert both[0]["Authorization"] != both[1]["Authorization"]


def test_credentials_are_not_shown() -> None:
    assert "secret" not in repr(AWSCredentials("AKIDEXAMPLE", "secret-key", "secret-token"))


S3_CREDENTIALS = AWSCredentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
S3_HOST = {"Host": "examplebucket.s3.amazonaws.com"}
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
PUT = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
S3_VECTORS = {
    "get object": (
        AWSRequest("GET", "/test.txt", S3_HOST | {"Range": "bytes=0-9", "x-amz-content-sha256": EMPTY}, b""),
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
    "put object": (
        AWSRequest(
            "PUT",
            "/test%24file.text",
            S3_HOST
            | {
                "Date": "Fri, 24 May 2013 00:00:00 GMT",
                "x-amz-storage-class": "REDUCED_REDUNDANCY",
                "x-amz-content-sha256": PUT,
            },
            b"",
            body_sha256=PUT,
        ),
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
    "list objects": (
        AWSRequest("GET", "/", S3_HOST | {"x-amz-content-sha256": EMPTY}, b"", query="max-keys=2&prefix=J"),
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
}


@pytest.mark.parametrize(("request_", "signature"), list(S3_VECTORS.values()), ids=list(S3_VECTORS))
def test_requests_to_s3_are_signed_as_its_guide_shows(request_: AWSRequest, signature: str) -> None:
    """From: docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html ("Examples")."""
    scope = Scope("us-east-1", "s3")
    headers = signature_headers(request_, S3_CREDENTIALS, scope, now_us=1_369_353_600_000_000)
    assert headers["Authorization"].endswith(f"Signature={signature}")
