"""The language connectors speak. No I/O; see :mod:`hub.connect.language` for the map."""

from hub.connect.faults import (
    ContractBroken,
    Fault,
    Misconfigured,
    NoData,
    NotPermitted,
    Pending,
    Reauthorise,
    RefreshNeeded,
    RetryAt,
    Unreadable,
)
from hub.connect.language import Authorisation, Connector, Context, Dialogue, Manifest, Quota, Remaining, Setting, Signer, Stream, Subject
from hub.connect.message import Grant, Interval, Json, Page, Record, Request, Response, Window

__all__ = [
    "Authorisation",
    "Connector",
    "Context",
    "ContractBroken",
    "Dialogue",
    "Fault",
    "Grant",
    "Interval",
    "Json",
    "Manifest",
    "Misconfigured",
    "NoData",
    "NotPermitted",
    "Page",
    "Pending",
    "Quota",
    "Reauthorise",
    "Record",
    "RefreshNeeded",
    "Remaining",
    "Request",
    "Response",
    "RetryAt",
    "Setting",
    "Signer",
    "Stream",
    "Subject",
    "Unreadable",
    "Window",
]
