"""The commands of `trivet` that manage clusters, as click shows and parses them.

Each is imported when it is called: `trivet up` is timed from its first instant and needs nothing of the benchmark.
"""

import importlib
from collections.abc import Callable
from importlib.metadata import version

import click

# What a command is called, where it is, and its line in `trivet --help`.
_COMMANDS = {
    "up": ("trivet_deploy.launcher.commands:up", "Start a whole cluster as local processes."),
    "down": ("trivet_deploy.launcher.commands:down", "Stop a cluster that `trivet up` started."),
    "status": ("trivet_deploy.launcher.commands:status", "Show who is who in a cluster."),
    "form": ("trivet_deploy.launcher.commands:form_command", "Make one cluster of running nodes, wherever they run."),
    "demo": ("trivet_deploy.drills.demo:demo", "Break a cluster and watch it heal."),
    "hotkeys": ("trivet_deploy.hotkeys.command:hotkeys", "Show which keys of a node or cluster are hot right now."),
    "bench": ("trivet_deploy.bench.command:bench", "Measure a node against redis-server."),
}
# Handled before click sees them, and listed so that --help is complete.
_SERVERS = {
    "node": "Run a node: trivet node [FILE] [--OPTION VALUE ...], as redis-server is run.",
    "sentinel": "Run a sentinel: trivet sentinel FILE [--OPTION VALUE ...], as redis-sentinel is run.",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_SERVERS, *_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([*_SERVERS.items(), *((name, line) for name, (_, line) in _COMMANDS.items())])


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"trivet {version('trivet')} ({build()})")
        ctx.exit()


def build() -> str:
    """Return `compiled` or `interpreted`: which form of the hot modules is installed."""
    import trivet_node.engine  # noqa: PLC0415 (the version alone is asked for it)

    return "interpreted" if str(trivet_node.engine.__file__).endswith(".py") else "compiled"


_version_option: Callable[[click.Command], click.Command] = click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
trivet = _version_option(
    _LazyGroup("trivet", help="Trivet: a clustered, Redis-compatible key-value store that you can break on purpose.")
)
