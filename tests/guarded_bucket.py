"""A bucket behind moto's S3 server that looks at keys and rights, as Amazon's does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.server import ThreadedMotoServer

MAY_READ = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "*"}],
}
FORGED = "hunter2" * 5


@dataclass(frozen=True)
class Keys:
    """What somebody signs requests with."""

    id: str
    secret: str

    def put(self, patch: pytest.MonkeyPatch) -> None:
        """Make them the keys of this machine."""
        patch.setenv("AWS_ACCESS_KEY_ID", self.id)
        patch.setenv("AWS_SECRET_ACCESS_KEY", self.secret)


@dataclass(frozen=True)
class GuardedBucket:
    """A bucket named library with one text in it. ``stranger`` has good keys and no rights."""

    url: str
    reader: Keys
    stranger: Keys

    def wrong_keys(self, refusal: str) -> Keys:
        """Return keys that earn a refusal of this name."""
        return {
            "InvalidAccessKeyId": Keys("AKIAHUNTER1HUNTER1HU", FORGED),
            "SignatureDoesNotMatch": Keys(self.reader.id, FORGED),
            "AccessDenied": self.stranger,
        }[refusal]


REFUSALS = {
    "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the profile",
    "SignatureDoesNotMatch": "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the profile",
    "AccessDenied": "they need the rights s3:ListBucket and s3:GetObject",
}
"""The service's word for a refusal → what the user is told to do."""


@contextmanager
def guarded_bucket(patch: pytest.MonkeyPatch) -> Iterator[GuardedBucket]:
    """Yield a bucket whose service refuses whoever may not read it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    patch.setenv("WORKBENCH_ALLOW_HOSTS", "127.0.0.1")
    Keys("setup", "setup").put(patch)
    bucket = boto3.client("s3", endpoint_url=url)
    bucket.create_bucket(Bucket="library")
    bucket.put_object(Bucket="library", Key="tram.txt", Body=b"The tram stops at red.")
    users = boto3.client("iam", endpoint_url=url)
    reader, stranger = _user(users, "reader"), _user(users, "stranger")
    users.put_user_policy(UserName="reader", PolicyName="may-read", PolicyDocument=json.dumps(MAY_READ))
    try:
        _told(f"{url}/moto-api/reset-auth", b"0")
        yield GuardedBucket(url, reader, stranger)
    finally:
        # Keys, rights and objects are the whole process's, and other tests have servers of their own.
        _told(f"{url}/moto-api/reset-auth", b"inf")
        _told(f"{url}/moto-api/reset")
        server.stop()


def _user(users: Any, name: str) -> Keys:
    users.create_user(UserName=name)
    made = users.create_access_key(UserName=name)["AccessKey"]
    return Keys(made["AccessKeyId"], made["SecretAccessKey"])


def _told(url: str, data: bytes = b"") -> None:
    # As a form, which is the usual type, moto would not see the data.
    with urlopen(Request(url, data, {"Content-Type": "text/plain"}, method="POST")) as answer:
        assert answer.status == 200
