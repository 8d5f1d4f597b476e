"""What changed settings do to the shell of a running node: listeners, log, directory, limits. (Redis: CONFIG SET.)"""

import os
import socket

from trivet_node.config import Config
from trivet_node.shell.listeners import open_tcp_listeners
from trivet_node.shell.process import allow_open_files
from trivet_node.shell.reactor import Reactor
from trivet_node.shell.surroundings import keep_crash_log
from trivet_node.shell.title import show_title
from trivet_wire.process import log
from trivet_wire.process.listeners import ListenError


def apply_to_shell(config: Config, reactor: Reactor, attributes: list[str]) -> str:
    """Follow the new values of these attributes of Config; return what went wrong in Redis' words, or nothing.

    After an error the caller restores the values and calls again.
    """
    if "loglevel" in attributes:
        log.set_level(config.loglevel)
    if "crash_log_enabled" in attributes:
        keep_crash_log(config)
    if {"proc_title_template", "port", "bind"} & set(attributes):
        show_title(config)
    if "dir" in attributes:
        failure = _enter_directory(config)
        if failure:
            return failure
    if "maxclients" in attributes and allow_open_files(config):
        return (
            f"The operating system is not able to handle the specified number of clients, try with {config.maxclients}"
        )
    if "port" in attributes or "bind" in attributes:
        return _listen_anew(config, reactor, attributes)
    return ""


def _enter_directory(config: Config) -> str:
    try:
        os.chdir(config.dir)
    except OSError as error:
        return error.strerror or str(error)
    config.dir = os.getcwd()
    return ""


def _listen_anew(config: Config, reactor: Reactor, attributes: list[str]) -> str:
    # The old sockets go first: the new ones may want the same port.
    reactor.stop_listening(socket.AF_INET, socket.AF_INET6)
    try:
        listeners = open_tcp_listeners(config)
    except ListenError as error:
        log.log("warning", f"Warning: Could not create server TCP listening socket {error}")
        if "port" in attributes:
            return "Unable to listen on this port. Check server logs."
        return "Failed to bind to specified addresses."
    for listener in listeners:
        reactor.listen(listener)
    return ""
