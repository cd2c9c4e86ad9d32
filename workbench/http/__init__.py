"""Polite and safe requests: only to public addresses, paced, patient, and within limits of time and size."""

from workbench.http.addresses import ENVIRONMENT_NAME, AllowList
from workbench.http.answers import ErrorAnswer, Response
from workbench.http.bodies import GZIP_MAGIC, joined, megabytes, unpacked
from workbench.http.client import NOT_MODIFIED, PRODUCT, Http, Limits
from workbench.http.patience import TryAgain
from workbench.http.urls import checked_url, host_and_port, origin, shown_url

__all__ = [
    "ENVIRONMENT_NAME",
    "GZIP_MAGIC",
    "NOT_MODIFIED",
    "PRODUCT",
    "AllowList",
    "ErrorAnswer",
    "Http",
    "Limits",
    "Response",
    "TryAgain",
    "checked_url",
    "host_and_port",
    "joined",
    "megabytes",
    "origin",
    "shown_url",
    "unpacked",
]
