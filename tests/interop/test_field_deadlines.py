"""Fields that expire, from redis-py to processes of ours: a primary, its replica, and the primary started again."""

from pathlib import Path

import redis

from tests.processes import HOST, start_trivet_node, wait_until


def test_redis_py_lets_fields_expire_on_a_primary_and_its_replica(tmp_path: Path) -> None:
    for name in ("primary", "replica"):
        (tmp_path / name).mkdir()
    with start_trivet_node(tmp_path / "primary") as primary, redis.Redis(HOST, primary.port) as client:
        client.hset("h", mapping={"a": 1, "b": 2, "c": 3})
        assert client.hexpire("h", 1000, "a", "missing", nx=True) == [1, -2]
        link = ("--replicaof", f"{HOST} {primary.port}")
        with start_trivet_node(tmp_path / "replica", *link) as replica, redis.Redis(HOST, replica.port) as reader:
            wait_until(lambda: reader.info("replication")["master_link_status"] == "up", 10, "the replica follows")
            deadlines = client.hpexpiretime("h", "a", "b")
            assert reader.hpexpiretime("h", "a", "b") == deadlines
            assert 900 < reader.httl("h", "a")[0] <= 1000
            assert client.hsetex("h", mapping={"d": 4}, px=30) == 1
            assert client.hgetex("h", "b", px=30) == [b"2"]
            assert client.hgetdel("h", "c") == [b"3"]
            wait_until(lambda: reader.hlen("h") == 1, 10, "active expiry deletes on both sides")
            assert client.hgetall("h") == reader.hgetall("h") == {b"a": b"1"}
            assert client.info("stats")["expired_subkeys"] == 2
        client.save()
        primary.kill()
        primary.start()
        assert client.hpexpiretime("h", "a") == deadlines[:1]
        assert client.hpersist("h", "a") == [1]
        assert client.object("encoding", "h") == b"listpack"
