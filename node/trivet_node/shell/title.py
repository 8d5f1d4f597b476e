"""The name of this process in ps and top: set-proc-title and proc-title-template.

It needs the package setproctitle; without it the process keeps the name that it was started by.
(Redis: server.c redisSetProcTitle.)
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Final

from trivet_node.config import Config

_PACKAGE: Final = "setproctitle"


def show_title(config: Config) -> None:
    """Name this process as the settings say."""
    if config.set_proc_title and find_spec(_PACKAGE) is not None:
        import_module(_PACKAGE).setproctitle(title_of(config))


def title_of(config: Config) -> str:
    """Return the template with its words filled in."""
    address = config.bind[0].removeprefix("-") if config.bind else "*"
    listening = f"{address}:{config.port}" if config.port else config.unixsocket
    words = {
        "title": "trivet-node",
        "listen-addr": listening,
        "server-mode": "[cluster]" if config.cluster_enabled else "",
        "port": str(config.port),
        "tls-port": "0",
        "unixsocket": config.unixsocket,
        "config-file": config.config_file,
    }
    title = config.proc_title_template
    for name, word in words.items():
        title = title.replace(f"{{{name}}}", word)
    return title.rstrip(" ")
