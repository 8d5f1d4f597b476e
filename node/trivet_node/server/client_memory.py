"""maxmemory-clients: how much clients hold together, and who has to go where it is too much.

Those are counted and may be closed who neither replicate nor said CLIENT NO-EVICT; who holds most goes first. It is
looked at in every tick. (Redis: redis.conf "maxmemory-clients", networking.c evictClients.)
"""

from trivet_node.client import CLOSE_NOW, NO_EVICT, Client
from trivet_node.limits import NORMAL_CLASS, PUBSUB_CLASS, client_class
from trivet_node.server.state import Server


def memory_bytes(client: Client) -> int:
    """Return the bytes that wait for a client, or that it has sent without their being run yet."""
    return client.parser.buffered() + queued_bytes(client) + int(client.unsent_bytes) + len(client.reply)


def queued_bytes(client: Client) -> int:
    """Return the bytes of the requests that EXEC will run for a client."""
    return sum([arguments_bytes(queued.arguments) for queued in client.queued])


def arguments_bytes(arguments: list[bytes]) -> int:
    """Return the bytes of a request's arguments."""
    return sum([len(argument) for argument in arguments])


def limit_bytes(server: Server) -> int:
    """Return what clients may hold together, 0 where there is no limit; a percentage is one of maxmemory."""
    config = server.config
    if config.maxmemory_clients >= 0:
        return config.maxmemory_clients
    return config.maxmemory * -config.maxmemory_clients // 100


def evictable_clients(server: Server) -> list[Client]:
    """Return the clients that count."""
    return [
        client
        for client in server.clients.values()
        if client_class(client) in (NORMAL_CLASS, PUBSUB_CLASS) and client.flags & NO_EVICT == 0
    ]


def evict_clients(server: Server) -> None:
    """Close those who hold most until the others are within the limit."""
    limit = limit_bytes(server)
    if limit == 0:
        return
    held = [(memory_bytes(client), client) for client in evictable_clients(server) if not client.is_closing()]
    total = sum([size for size, _ in held])
    if total <= limit:
        return
    held.sort(key=_size, reverse=True)
    for size, client in held:
        server.host.log("notice", f"Evicting client: id={client.id} addr={client.address} tot-mem={size}")
        server.close_client(client, CLOSE_NOW)
        server.stats.clients_evicted += 1
        total -= size
        if total <= limit:
            return


def _size(entry: tuple[int, Client]) -> int:
    return entry[0]
