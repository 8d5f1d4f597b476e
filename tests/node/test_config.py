"""redis.conf and the command line become a Config, or an error in Redis' words."""

import pytest

from trivet_node.config import SETTINGS, Config
from trivet_node.config_loading import ConfigError, load_config
from trivet_node.config_rewrite import rewritten
from trivet_node.settings.composite_kinds import OutputLimit
from trivet_node.settings.text import memory_text, parse_memory, quoted, words_of


def load(text: str, *arguments: str, others: dict[str, str] | None = None) -> Config:
    """Return the configuration of a file with this text and of further arguments."""
    files = {"/etc/t.conf": text, **(others or {})}

    def read(path: str) -> list[str]:
        if path.endswith("*.conf"):
            return [files[name] for name in sorted(files) if name.startswith(path.removesuffix("*.conf"))]
        if path not in files:
            raise FileNotFoundError(2, "No such file or directory")
        return [files[path]]

    return load_config(["/etc/t.conf", *arguments], read)


def error_of(text: str, *arguments: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(text, *arguments)
    return str(caught.value)


def test_nothing_given_means_the_defaults_of_redis() -> None:
    config = load_config([], lambda path: [])
    assert (config.port, config.bind, config.databases, config.maxclients) == (6379, ("*", "-::*"), 16, 10000)
    assert config.save == ((3600, 1), (300, 100), (60, 10000))
    assert config.protected_mode
    assert config.warnings == []
    assert config.config_file == ""


def test_a_file_is_read_as_redis_reads_it() -> None:
    config = load(
        '# a comment\n\n  PORT 7000\r\nrequirepass "a \\"b\\" \\x41"\nbind 127.0.0.1 -::1\nslave-read-only no\n'
        "client-output-buffer-limit replica 256mb 64mb 60\nmaxclients 5\nunixsocketperm 700\n"
    )
    assert (config.port, config.requirepass, config.bind) == (7000, 'a "b" A', ("127.0.0.1", "-::1"))
    assert config.client_output_buffer_limit.replica == OutputLimit(256 * 2**20, 64 * 2**20, 60)
    assert config.client_output_buffer_limit.normal == OutputLimit(0, 0, 0)
    assert config.unixsocketperm == 0o700
    assert not config.replica_read_only
    assert config.config_file == "/etc/t.conf"


def test_options_of_the_command_line_come_last() -> None:
    config = load("port 1\nsave 900 1\n", "--port", "2", "--bind", "::1", "127.0.0.1", "--timeout 3")
    assert (config.port, config.bind, config.timeout) == (2, ("::1", "127.0.0.1"), 3)
    assert config.save == ((900, 1),)


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("save 900 1\nsave 30 5", [], ((900, 1), (30, 5))),
        ('save 900 1\nsave ""', [], ()),
        ('save ""\nsave 5 1', [], ((5, 1),)),
        ('save "900 1 30 5"', [], ((900, 1), (30, 5))),
        ("", ["--save", ""], ()),
        ("", ["--save"], ()),
        ("", ["--save", "--port", "5"], ()),
        ("", ["--save", "60", "1", "--save", "5", "2"], ((60, 1), (5, 2))),
    ],
)
def test_save_points_add_up(text: str, arguments: list[str], expected: tuple[tuple[int, int], ...]) -> None:
    assert load(text, *arguments).save == expected


def test_a_value_that_looks_like_an_option_is_a_value() -> None:
    assert load_config(["--requirepass", "--secret"], lambda path: []).requirepass == "--secret"


def test_includes_are_read_where_they_stand() -> None:
    others = {"/etc/b.conf": "port 2\ntimeout 9\n", "/inc/1.conf": "port 3", "/inc/2.conf": "port 4"}
    config = load("port 1\ninclude /etc/b.conf\nport 5", others=others)
    assert (config.port, config.timeout) == (5, 9)
    assert load("include /inc/*.conf", others=others).port == 4


def test_a_file_that_includes_itself_is_an_error() -> None:
    assert "too many nested includes" in error_of("include /etc/t.conf")


def test_a_missing_file_is_named() -> None:
    assert error_of("include /no") == "Fatal error, can't open config file '/no': No such file or directory"


def test_errors_name_line_and_text() -> None:
    assert error_of("# c\n  port abc  ") == (
        "\n*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\nReading the configuration file, at line 2\n"
        ">>> 'port abc'\nargument couldn't be parsed into an integer"
    )
    assert "at line 4\n>>> 'port \"x\"'" in error_of("# c\nport 5\n", "--port", "x")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nonsense 1", "Bad directive or wrong number of arguments"),
        ("tls-replication yes", "Trivet has no TLS: only 'no' is possible"),
        ("tls-port 1", "Trivet has no TLS: only '0' is possible"),
        ("port", "wrong number of arguments"),
        ("port 1 2", "wrong number of arguments"),
        ("port 65536", "argument must be between 0 and 65535 inclusive"),
        ("port 05", "argument couldn't be parsed into an integer"),
        ("maxmemory 1xb", "argument must be a memory value"),
        ("maxmemory 100mb", "Trivet has no memory limit yet: only '0' is possible"),
        ("appendonly yes", "Trivet has no append-only file yet: only 'no' is possible"),
        ("proc-title-template {foo}", "template format is invalid or contains unknown variables"),
        ('proc-title-template ""', "template format is invalid or contains unknown variables"),
        ("unixsocketperm 778", "argument couldn't be parsed as an octal number"),
        ("unixsocketperm 7777", "argument must be between 0 and 777 inclusive"),
        ("loglevel loud", "argument(s) must be one of the following: debug, verbose, notice, warning"),
        ("rdbcompression maybe", "argument must be 'yes' or 'no'"),
        ("dbfilename a/b", "dbfilename can't be a path, just a filename"),
        ('requirepass "abc', "Unbalanced quotes in configuration line"),
        ("save 5", "Invalid save parameters"),
        ("save 0 1", "Invalid save parameters"),
        ("replicaof host", "wrong number of arguments"),
        ("replicaof host 70000", "Invalid master port"),
        ("client-output-buffer-limit normal 1 2", "Wrong number of arguments in buffer limit configuration."),
        ("user default on", "Trivet has no ACL users but 'default' yet"),
        ("rename-command GET G", "Trivet does not rename commands yet"),
        ("rename-command GET", "Bad directive or wrong number of arguments"),
        ("sentinel monitor m h 1 1", "sentinel directive while not in sentinel mode"),
        ("maxmemory-clients 101%", "percentage argument must be less or equal to 100"),
    ],
)
def test_what_cannot_be_is_refused(line: str, reason: str) -> None:
    assert error_of(line).splitlines()[-1] == reason


def test_cluster_mode_has_its_own_number_of_databases_and_no_replicaof() -> None:
    assert load("databases 4\ncluster-databases 3").database_count() == 4
    assert load("cluster-enabled yes\ndatabases 4").database_count() == 1
    assert load("cluster-enabled yes\ndatabases 4\ncluster-databases 3").database_count() == 3
    assert error_of("cluster-databases 0").splitlines()[-1] == "argument must be between 1 and 2147483647 inclusive"
    assert error_of("cluster-enabled yes\nreplicaof a 1").endswith("replicaof directive not allowed in cluster mode")


def test_options_without_effect_are_named_once_with_their_reasons() -> None:
    config = load("slave-lazy-flush no\nmaxmemory-samples 7\nmaxmemory-samples 8\nlazyfree-lazy-expire no\nport 1")
    assert config.warnings == [
        "WARNING: options without effect here: maxmemory-samples (Trivet has no memory limit yet); "
        "lazyfree-lazy-expire, replica-lazy-flush (huge values are always freed piece by piece)"
    ]
    assert config.maxmemory_samples == 8
    kept = load("tls-cert-file node.crt\ntls-key-file node.key\ntls-port 0\ntls-auth-clients yes")
    assert kept.warnings == ["WARNING: options without effect here: tls-cert-file, tls-key-file (Trivet has no TLS)"]
    assert kept.tls_cert_file == "node.crt"


def test_options_that_say_what_is_done_anyway_are_not_named() -> None:
    text = "slave-lazy-flush yes\nmaxmemory-samples 5\nrepl-diskless-sync no\nsanitize-dump-payload yes\nio-threads 1"
    assert load(text).warnings == []
    assert load("").warnings == []


def test_every_reason_can_be_read_in_one_line() -> None:
    for name, row in SETTINGS.items():
        assert len(row.why) < 80 and not row.why.endswith("."), name
        assert row.does == row.default or row.why, name


def test_every_setting_has_its_attribute_and_survives_its_own_text() -> None:
    for name, row in SETTINGS.items():
        value = getattr(Config(), row.attribute)
        assert value == row.default, name
        words = words_of(row.kind.lines(name, value)[0]) if row.kind.lines(name, value) else None
        if words is not None and len(row.kind.lines(name, value)) == 1:
            assert row.kind.parse(words[1:] if words[1:] != [""] or not row.kind.many_words else [], value) == value


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1b", 1),
        ("1k", 1000),
        ("1kb", 1024),
        ("2MB", 2**21),
        ("1g", 10**9),
        ("3Gb", 3 * 2**30),
        ("9" * 30, 2**64 - 1),
        ("", 0),
        ("mb", 0),
    ],
)
def test_memory_units(text: str, size: int) -> None:
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["1tb", "-1", "1.5mb", "1 mb"])
def test_no_memory_values(text: str) -> None:
    assert parse_memory(text) is None


def test_memory_text_is_exact() -> None:
    assert [memory_text(size) for size in (0, 1, 1024, 1025, 2**20, 3 * 2**30)] == [
        "0",
        "1",
        "1kb",
        "1025",
        "1mb",
        "3gb",
    ]


def test_quoting_survives_the_way_back() -> None:
    text = 'a "b" \\ \n\r\t\a\b \x01 é'
    assert words_of(quoted(text)) == [text]


def test_rewrite_changes_only_what_it_must() -> None:
    text = "# mine\nport 1\n\n  # more\ntimeout 5\nsave 1 1\nsave 2 2\nsave 3 3\nunknown stays\n"
    config = load("port 1\ntimeout 5\nsave 1 1\n")
    config.timeout = 7
    config.save = ((60, 10), (5, 5))
    config.requirepass = 'a "b"'
    assert rewritten(text, config) == (
        "# mine\nport 1\n\n# more\ntimeout 7\nsave 60 10\nsave 5 5\n\nunknown stays\n\n"
        '# Generated by CONFIG REWRITE\nrequirepass "a \\"b\\""\n'
    )


def test_rewrite_twice_is_rewrite_once() -> None:
    config = load('requirepass "x"\nmaxclients 9\nclient-output-buffer-limit pubsub 1mb 1kb 5\nreplicaof h 5\n')
    once = rewritten("", config)
    assert rewritten(once, config) == once
    assert once.startswith("\n# Generated by CONFIG REWRITE\n")
    again = load(once)
    again.config_file = config.config_file
    assert again == config


def test_rewrite_uses_todays_names_for_aliases() -> None:
    config = load("slave-read-only no")
    assert rewritten("slave-read-only yes\n", config) == "replica-read-only no\n"
    config.replica_read_only = True
    assert rewritten("slave-read-only no\n", config) == "replica-read-only yes\n"
