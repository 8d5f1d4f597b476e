"""A trio client for Trivet and Redis: clusters, single servers, groups watched by sentinels.

`ClusterClient`, `Client` and `SentinelClient` are the entries. Inside, `topology`, `command_table` and `router` are
pure (topology in, decisions out); `pool`, `discovery` and `dispatcher` are the shell that does the I/O.
"""

from trivet_client.client import BaseClient, Client, ClusterClient
from trivet_client.errors import (
    AuthenticationError,
    ClientError,
    ClusterUnavailable,
    ConnectionLost,
    ConnectionRejected,
    CrossSlotError,
    DatabaseRefused,
    NoScriptError,
    ServerError,
    TransactionAborted,
    WrongTypeError,
)
from trivet_client.options import Address, Options
from trivet_client.pipeline import Pipeline, Promise
from trivet_client.sentinel import SentinelClient
from trivet_client.subscription import Message, Subscription
from trivet_client.topology import Shard, Topology

__all__ = [
    "BaseClient",
    "Client",
    "ClusterClient",
    "SentinelClient",
    "Pipeline",
    "Promise",
    "Subscription",
    "Message",
    "Address",
    "Options",
    "Shard",
    "Topology",
    "ClientError",
    "ServerError",
    "ConnectionRejected",
    "AuthenticationError",
    "DatabaseRefused",
    "CrossSlotError",
    "NoScriptError",
    "TransactionAborted",
    "WrongTypeError",
    "ClusterUnavailable",
    "ConnectionLost",
]
