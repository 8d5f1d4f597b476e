"""`python -m trivet_node [file.conf] [--option value ...]`: run one node until it is told to stop."""

import sys

import trio

from trivet_node.config import Config
from trivet_node.shell import log
from trivet_node.shell.listeners import ListenError, open_listeners
from trivet_node.shell.node import Node, process_line


def main(argv: list[str]) -> int:
    """Run a node with the arguments of the command line and return its exit status."""
    config = Config(port=int(argv[argv.index("--port") + 1]))
    log.start_logging("", "notice")
    log.log("notice", process_line(config))
    try:
        listeners = open_listeners(config)
    except ListenError as error:
        log.log("warning", f"Warning: Could not create server TCP listening socket {error}")
        log.log("warning", f"Failed listening on port {config.port} (TCP), aborting.")
        return 1
    node = Node(config)
    log.log("notice", "Server initialized")
    trio.run(node.run, listeners)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
