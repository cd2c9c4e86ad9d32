"""The objects of a bucket in Amazon S3, or in anything that speaks its protocol (MinIO, Ceph, R2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import PurePosixPath
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from pydantic import Field, field_validator

from workbench.contracts import ItemPage, Source, SourceAccess, SourceConnection
from workbench.errors import InputError, MissingPackageError, ServiceError, SettingsError, WorkbenchError
from workbench.files import shown_name
from workbench.http import AllowList, checked_url, host_and_port, joined, megabytes
from workbench.http.addresses import checked_addresses
from workbench.records import RawItem, SourceItem
from workbench.sources._globs import wanted
from workbench.sources._readable import is_readable

PAGE_KEYS = 1_000
"""The most that the service gives at once."""
_ASLEEP = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_ARCHIVED = "InvalidObjectState"
_GONE = frozenset({"NoSuchKey", "404"})
_FORBIDDEN = frozenset({"AccessDenied", "403"})
_WRONG_KEYS = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"})
_NOT_MODIFIED = frozenset({"304", "NotModified"})
_WRONG_SETTINGS = frozenset(
    {"NoSuchBucket", "InvalidBucketName", "PermanentRedirect", "AuthorizationHeaderMalformed"}
)


class S3(Source):
    """Read the objects of a bucket; credentials come from the environment or a profile, never from a config."""

    label: ClassVar[str] = "Bucket (S3)"
    bucket: str = Field(
        examples=["company-handbook"],
        min_length=3,
        max_length=63,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]+$",
        description="the bucket's name",
    )
    prefix: str = Field(
        "",
        examples=["handbooks/"],
        description="what the keys begin with, such as handbooks/; empty means the whole bucket",
    )
    include: tuple[str, ...] = Field(
        (),
        strict=False,
        examples=["*.pdf"],
        description="patterns of keys to read, such as *.pdf; empty means all that can be read",
    )
    exclude: tuple[str, ...] = Field((), strict=False, description="patterns of keys to leave out")
    endpoint_url: str = Field(
        "",
        title="Address of the service",
        examples=["https://minio.example.org"],
        description="address of another service that speaks S3; empty means Amazon's",
    )
    region: str = Field(
        "",
        examples=["eu-central-1"],
        description="such as eu-central-1; empty means what the environment says",
    )
    profile: str = Field(
        "",
        title="Profile of credentials",
        description="profile of the credentials file; empty means what the environment says",
    )
    largest_mb: int = Field(
        200, title="Largest object (MB)", ge=1, le=5_000, description="largest object to read, in megabytes"
    )

    @field_validator("endpoint_url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        try:
            checked = url and checked_url(url)
        except InputError as error:
            raise ValueError(f"endpoint_url: {error}") from error
        # It is part of every key in the ledger, and of what is shown; no service needs a query there.
        if urlsplit(checked).query:
            raise ValueError("endpoint_url: nothing may follow a question mark, as it may be a secret")
        return checked

    def place(self) -> str:
        """Return bucket and prefix, and the service where it is not Amazon's; two prefixes are two places."""
        service = urlsplit(self.endpoint_url)
        host = f"{service.netloc}{service.path.rstrip('/')}/" if self.endpoint_url else ""
        return f"s3://{host}{self.bucket}/{self.prefix}"

    def connection(self, access: SourceAccess) -> SourceConnection:
        """Return a client; raises ``MissingPackageError`` without boto3."""
        return _Bucket(self, access)


class _Bucket(SourceConnection):
    def __init__(self, settings: S3, access: SourceAccess) -> None:
        super().__init__(settings.name)
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError as error:
            raise MissingPackageError("boto3", "the source s3", '"retrieval-workbench[s3]"') from error
        self._settings = settings
        self._access = access
        self._bucket = f"s3://{settings.bucket}"
        self._errors = (BotoCoreError, ClientError)
        endpoint = settings.endpoint_url or None
        if endpoint:
            # boto3 looks the name up again when it connects: this refuses what points inside, not a name that changes.
            checked_addresses(*host_and_port(endpoint), AllowList.from_environment())
        try:
            session = boto3.Session(
                profile_name=settings.profile or None, region_name=settings.region or None
            )
            self._client: Any = session.client(
                "s3",
                endpoint_url=endpoint,
                config=Config(
                    retries={"mode": "standard", "total_max_attempts": 6},
                    connect_timeout=10,
                    read_timeout=30,
                    # Only Amazon's own buckets have host names of their own.
                    s3={"addressing_style": "path" if endpoint else "auto"},
                ),
            )
        except (BotoCoreError, ValueError) as error:
            raise SettingsError(f"the source s3 cannot be used: {error}") from error

    def pages(self, cursor: str = "") -> Iterator[ItemPage]:
        """Yield the objects, a page of the service at a time."""
        fits = wanted(self._settings.include, self._settings.exclude)
        asked: dict[str, Any] = {
            "Bucket": self._settings.bucket,
            "Prefix": self._settings.prefix,
            "MaxKeys": PAGE_KEYS,
        }
        last = False
        while not last:
            self._access.check()
            try:
                answer = self._client.list_objects_v2(**asked)
            except self._errors as error:
                raise self._translated(error, self._bucket) from error
            last = not answer.get("IsTruncated", False)
            if not last:
                asked["ContinuationToken"] = answer["NextContinuationToken"]
            items, problems = [], []
            for entry in answer.get("Contents", ()):
                key = entry["Key"]
                if not is_readable(key) or not fits(key):
                    continue
                if entry.get("StorageClass") in _ASLEEP:
                    problems.append(
                        f"{shown_name(key)} lies in {entry['StorageClass']} and must be restored first"
                    )
                items.append(self._item(entry))
            yield ItemPage(tuple(items), problems=tuple(problems), complete=last)

    def read(self, item: SourceItem, validator: str = "") -> RawItem | None:
        """Return the object's bytes; None when its ETag is still the ``validator``."""
        limit = self._settings.largest_mb * 10**6
        name = f"{self._bucket}/{item.item_id}"
        wish = {"IfNoneMatch": validator} if validator else {}
        try:
            answer = self._client.get_object(Bucket=self._settings.bucket, Key=item.item_id, **wish)
            # Not "with body": its __enter__ gives the raw connection, unguarded against an early end.
            with closing(answer["Body"]) as body:
                if answer.get("ContentLength", 0) > limit:
                    raise InputError(f"{name} is larger than {megabytes(limit)}", "too_large")
                data = joined(self._watched(body.iter_chunks(1 << 18)), limit, name)
        except self._errors as error:
            if _code(error) in _NOT_MODIFIED:
                return None
            raise self._translated(error, name) from error
        return RawItem(
            data,
            PurePosixPath(item.item_id).name,
            self._uri(item.item_id),
            metadata=_texts(answer.get("Metadata", {})),
            content_type=answer.get("ContentType", ""),
            version=answer["ETag"],
            validator=answer["ETag"],
        )

    def close(self) -> None:
        """Close the client's connections."""
        self._client.close()

    def _watched(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._access.check()
            yield piece

    def _item(self, entry: Mapping[str, Any]) -> SourceItem:
        key = entry["Key"]
        return SourceItem(key, entry["ETag"], key, self._uri(key), size_bytes=entry["Size"])

    def _uri(self, key: str) -> str:
        return f"{self._bucket}/{quote(key)}"

    def _translated(self, error: Exception, name: str) -> WorkbenchError:
        """Return our error for one of boto3's. What boto3 says is not repeated: it may hold parts of a request."""
        code = _code(error)
        if code in _GONE:
            return InputError(f"{name} is not there any more", "gone")
        if code == _ARCHIVED:
            return InputError(f"{name} lies in an archive and must be restored first", "forbidden")
        if code in _FORBIDDEN:
            return InputError(
                f"{name} may not be read with the credentials of this machine ({code}): they need the rights"
                " s3:ListBucket and s3:GetObject",
                "forbidden",
            )
        if code in _WRONG_KEYS:
            return InputError(
                f"{name} does not take the credentials of this machine ({code}): check AWS_ACCESS_KEY_ID,"
                " AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the profile",
                "forbidden",
            )
        if code in _WRONG_SETTINGS:
            return SettingsError(f"{name} cannot be used ({code}); check bucket, region and endpoint_url")
        kind = type(error).__name__
        if kind in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"):
            return SettingsError(
                "the source s3 finds no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
            )
        return ServiceError(f"{name} cannot be reached or broke off ({code or kind}); try again later")


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _texts(metadata: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in metadata.items()}
