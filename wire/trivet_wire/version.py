"""The version of Redis whose behaviour is the contract, and which servers therefore call themselves."""

from typing import Final

REDIS_VERSION: Final = "7.0.15"
