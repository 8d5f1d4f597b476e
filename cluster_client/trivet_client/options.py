"""What a user may set on a client, and how addresses are written."""

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypedDict

from attrs import field, frozen, validators

RetryLost = Literal["safe", "always", "never"]


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


# `"host:port"`, or a pair of the two.
AddressLike = str | tuple[str, int]


def parse_address(text: str, default_host: str = "") -> Address:
    """Return the address written as `host:port`, `[v6]:port` or, in redirections, v6 without brackets.

    An empty host stands for `default_host`: a node that does not know its own address says so in redirections.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit():
        raise ValueError(f"not an address of the form host:port: {text!r}")
    return Address(host.strip("[]") or default_host, int(port))


def as_addresses(addresses: Iterable[AddressLike]) -> tuple[Address, ...]:
    """Return what users give as addresses in one form; ValueError where there is none."""
    if isinstance(addresses, str):
        addresses = [addresses]
    result = tuple(parse_address(each) if isinstance(each, str) else Address(*each) for each in addresses)
    if not result:
        raise ValueError("at least one address is needed")
    return result


class OptionArguments(TypedDict, total=False):
    """The keyword arguments of clients; `Options` explains them."""

    username: str | None
    password: str | None
    client_name: str | None
    database: int
    read_from_replicas: bool
    retry_lost: RetryLost
    retry_timeout_s: float
    connect_timeout_s: float
    response_timeout_s: float
    max_connections_per_node: int


@frozen(kw_only=True)
class Options:
    """Settings of a client.

    username, password       sent by AUTH on every connection
    client_name              what CLIENT LIST shows for the connections
    database                 sent by SELECT on every connection; a cluster allows others than 0 by `cluster-databases`
    read_from_replicas       commands that only read go to any replica that is up, and may read old data
    retry_lost               what to do when a connection breaks between the sending of a command and its reply, when
                             nobody knows if it ran. "safe" repeats commands for which running twice is the same as
                             running once, state and reply (reads, SET without NX or GET, MSET, EXPIRE ...), and raises
                             ConnectionLost for others (INCR, LPUSH, DEL ...). "always" repeats all of them (at least
                             once), "never" none (at most once). A repeated SET can undo another client's later SET.
    retry_timeout_s          how long one call goes on through redirections, failovers and lost connections
    connect_timeout_s        how long to wait for a connection to a node, authentication included
    response_timeout_s       how long to wait for a reply; blocking commands such as BLPOP wait without end
    max_connections_per_node how many connections to one node are open at once; more callers than that queue
    """

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    client_name: str | None = None
    database: int = field(default=0, validator=validators.ge(0))
    read_from_replicas: bool = False
    retry_lost: RetryLost = field(default="safe", validator=validators.in_(("safe", "always", "never")))
    retry_timeout_s: float = field(default=10.0, validator=validators.ge(0))
    connect_timeout_s: float = field(default=1.0, validator=validators.gt(0))
    response_timeout_s: float = field(default=5.0, validator=validators.gt(0))
    max_connections_per_node: int = field(default=64, validator=validators.ge(1))
