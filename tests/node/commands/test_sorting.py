"""SORT beyond what generated commands reach: what it stores and says, and what it leaves behind."""

from tests.node.engines import Node


def test_elements_are_sorted_as_numbers_or_as_words() -> None:
    node = Node()
    node.asks("RPUSH l 10 9 1.5 -inf 9")
    assert node.asks("SORT l") == [b"-inf", b"1.5", b"9", b"9", b"10"]
    assert node.asks("SORT l ALPHA DESC LIMIT 0 2") == [b"9", b"9"]
    assert node.asks("SORT_RO l BY nosort DESC LIMIT 1 2") == [b"-inf", b"1.5"]
    node.asks("RPUSH l word")
    assert node.asks("SORT l") == "ERR One or more scores can't be converted into double"
    assert node.ask("SORT", "l", "STORE", "target") == "ERR One or more scores can't be converted into double"
    assert node.asks("EXISTS target") == 0


def test_weights_and_results_come_from_keys_and_fields() -> None:
    node = Node()
    node.asks("SADD s 1 2 3")
    node.asks("MSET w_1 30 w_2 20 name_1 one name_3 three")
    node.asks("HSET h_1 f one")
    node.asks("SET h_2 string")
    assert node.asks("SORT s BY w_* GET # GET name_* GET h_*->f") == [
        *[b"3", b"three", None],
        *[b"2", None, None],
        *[b"1", b"one", b"one"],
    ]


def test_an_empty_result_deletes_the_target() -> None:
    node = Node()
    node.keep_stream()
    node.asks("RPUSH l 2 1")
    node.asks("SET target x")
    assert node.asks("SORT l GET # GET no_* STORE target") == 4
    assert node.asks("LRANGE target 0 -1") == [b"1", b"", b"2", b""]
    before = int(node.keyspace.dirty)
    assert node.asks("SORT l LIMIT 5 1 STORE target") == 0
    assert node.keyspace.dirty == before + 1
    assert node.asks("EXISTS target") == 0
    assert node.asks("SORT missing STORE target") == 0
    assert node.stream()[-1] == [b"SORT", b"l", b"LIMIT", b"5", b"1", b"STORE", b"target"]


def test_words_end_at_a_nul_unless_they_are_stored() -> None:
    node = Node()
    words = [b"a\0b", b"a\0a", b"a"]
    node.ask("RPUSH", "l", *words)
    assert node.asks("SORT l ALPHA") == words
    assert node.asks("SORT l ALPHA STORE target") == 3
    assert node.asks("LRANGE target 0 -1") == sorted(words)


def test_sorting_takes_a_sorted_set_out_of_its_listpack() -> None:
    node = Node()
    node.asks("ZADD z 2 b 1 a")
    assert node.asks("SORT z BY nosort DESC") == [b"b", b"a"]
    assert node.asks("OBJECT ENCODING z") == b"skiplist"
    assert node.asks("ZRANGE z 0 -1 WITHSCORES") == [b"a", b"1", b"b", b"2"]


def test_keys_of_a_request_are_the_first_and_the_last_stored() -> None:
    node = Node()
    assert node.asks("COMMAND GETKEYS SORT a BY x* STORE b LIMIT store c STORE d") == [b"a", b"d"]
    assert node.asks("COMMAND GETKEYS SORT a GET store GET b") == [b"a"]
    assert node.asks("COMMAND GETKEYS SORT_RO a STORE b") == [b"a"]
