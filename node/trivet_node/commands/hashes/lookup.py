"""Looking up hashes, some of whose fields may be past their deadlines: values/hash_deadlines.py says what happens then.

    read_all(database, key)                to read every field of it
    read_fields(database, arguments)       to read the fields that are named behind the key
    find_hash(database, arguments)         to write those fields, which keep their deadlines
    find_to_overwrite(database, ...)       to write or remove those fields, which have no deadlines from here on

All of them return a plain Hash to work on, or None where there is nothing to be seen, read_all() also which of its
fields are hidden. A hash without deadlines passes by one look at its class. Words that are no fields (values, numbers)
may be taken for some: a field past its deadline that has such a name is hidden or deleted in any case.
"""

from trivet_node.command import CommandError
from trivet_node.keyspace import EXPIRE_WAITS, Database
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import NO_FIELDS, Hash
from trivet_wire import errors


def read_all(database: Database, key: bytes) -> tuple[Hash | None, frozenset[bytes]]:
    """Return the hash under `key`, or None where there is none, and the fields of it that nobody may see."""
    value = database.read(key)
    if value is None or isinstance(value, Hash):
        return value, NO_FIELDS
    expiring = as_expiring(value)
    return expiring.hash, expiring.hidden(database.keyspace.hides_before_ms())


def read_fields(database: Database, arguments: list[bytes]) -> Hash | None:
    """Return the hash under arguments[1] as a command sees it that reads only fields that are named behind that."""
    value = database.read(arguments[1])
    if value is None or isinstance(value, Hash):
        return value
    return as_expiring(value).named(arguments[2:], database.keyspace.hides_before_ms())


def find_hash(database: Database, arguments: list[bytes]) -> Hash | None:
    """Return the hash under arguments[1] as a command sees it that writes only fields that are named behind that."""
    value = database.find(arguments[1])
    if value is None or isinstance(value, Hash):
        return value
    found = without_past(database, arguments[1], as_expiring(value), arguments[2:])
    return None if found is None else found.hash


def find_to_overwrite(database: Database, arguments: list[bytes], step: int) -> Hash | None:
    """Do what find_hash() does, and take away the deadlines of every `step`th argument behind the key."""
    value = database.find(arguments[1])
    if value is None or isinstance(value, Hash):
        return value
    fields = arguments[2::step]
    found = without_past(database, arguments[1], as_expiring(value), fields)
    if found is None:
        return None
    for field in fields:
        found.deadlines.drop(field)
    database.settle(arguments[1], found)
    return found.hash


def find_expiring(database: Database, key: bytes) -> ExpiringHash | None:
    """Return the hash under `key` for a command that changes deadlines and then lets the database settle() it.

    Whether fields are past their deadlines is not looked at: without_past() does.
    """
    value = database.find(key)
    if isinstance(value, Hash):
        return ExpiringHash(value)
    return None if value is None else as_expiring(value)


def without_past(database: Database, key: bytes, hashed: ExpiringHash, fields: list[bytes]) -> ExpiringHash | None:
    """Delete those of `fields` that are past their deadlines; return the hash, or None where it is gone with them."""
    if database.keyspace.expire_mode == EXPIRE_WAITS:
        return hashed
    past = hashed.past_among(fields, int(database.keyspace.now_ms))
    return None if past and not database.expire_fields(key, hashed, past) else hashed


def as_expiring(value: object) -> ExpiringHash:
    """Return a value that is no plain Hash as what it must be for a command of hashes."""
    if isinstance(value, ExpiringHash):
        return value
    raise CommandError(errors.WRONG_TYPE)
