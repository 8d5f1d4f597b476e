"""Lists as clients see them, beyond what the comparison with a real server covers."""

from tests.node.engines import Node


def test_elements_come_back_in_their_order() -> None:
    node = Node()
    assert node.asks("RPUSH l a b c") == 3
    assert node.asks("LPUSH l x y") == 5
    assert node.asks("LRANGE l 0 -1") == [b"y", b"x", b"a", b"b", b"c"]
    assert node.asks("LRANGE l -2 100") == [b"b", b"c"]
    assert [node.asks("LPOP l"), node.asks("RPOP l 2"), node.asks("LINDEX l -1")] == [b"y", [b"c", b"b"], b"a"]


def test_a_list_without_elements_is_gone() -> None:
    node = Node()
    for emptied_by in ("LPOP l", "RPOP l 5", "LTRIM l 1 0", "LREM l 0 a", "LMOVE l other LEFT LEFT", "LMPOP 1 l LEFT"):
        node.asks("DEL other")
        node.asks("RPUSH l a")
        node.asks(emptied_by)
        assert node.asks("EXISTS l") == 0, emptied_by


def test_a_list_turned_around_in_itself_stays() -> None:
    node = Node()
    node.asks("RPUSH l a")
    assert node.asks("RPOPLPUSH l l") == b"a"
    node.asks("RPUSH l b c")
    assert node.asks("LMOVE l l RIGHT LEFT") == b"c"
    assert node.asks("LRANGE l 0 -1") == [b"c", b"a", b"b"]


def test_events_name_what_was_done() -> None:
    node = Node()
    node.asks("CONFIG SET notify-keyspace-events EA")
    listener = node.client()
    node.asks("PSUBSCRIBE *", client=listener)
    heard = []
    for request in (
        "RPUSH l a b c a",
        "LSET l 0 x",
        "LINSERT l AFTER b n",
        "LREM l 0 n",
        "LTRIM l 0 1",
        "RPOPLPUSH l other",
        "LMPOP 2 no l LEFT COUNT 5",
    ):
        node.asks(request)
        heard.append([message[2].decode().rpartition(":")[2] for message in node.replies(listener.reply.take())])
    assert heard == [["rpush"], ["lset"], ["linsert"], ["lrem"], ["ltrim"], ["lpush", "rpop"], ["lpop", "del"]]


def test_every_element_counts_as_a_change() -> None:
    node = Node()
    changes = []
    for request in ("RPUSH l a b c", "RPUSH l d e", "LPOP l 2", "LTRIM l 0 1", "LREM l 0 c", "LMOVE l k LEFT LEFT"):
        before = int(node.keyspace.dirty)
        node.asks(request)
        changes.append(int(node.keyspace.dirty) - before)
    assert changes == [3, 2, 2, 1, 1, 1]


def test_lmpop_is_propagated_as_the_pop_that_it_was() -> None:
    node = Node()
    node.keep_stream()
    node.asks("RPUSH l a b c")
    node.asks("LMPOP 2 no l RIGHT COUNT 10")
    assert node.stream()[-1] == [b"RPOP", b"l", b"3"]
