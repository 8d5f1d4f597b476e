"""A drill while it runs: redrawn in place on a terminal, told line by line where there is none."""

from collections import Counter
from collections.abc import Sequence

import attrs
import trio
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from trivet_deploy.drills.ledger import Ledger
from trivet_deploy.drills.timeline import Entry, Timeline
from trivet_deploy.launcher.status import ServerStatus, status_table

_REDRAW_INTERVAL_S = 0.1
_RATE_WINDOW_S = 1.0
_SHOWN_EVENTS = 12


@attrs.define
class Scene:
    """All that there is to see: filled by the drill, drawn by the screen."""

    shards: int
    ledger: Ledger
    timeline: Timeline
    phase: str = ""
    servers: Sequence[ServerStatus] = ()
    rates: Sequence[float] = ()


class Screen:
    """Shows a scene on a console."""

    def __init__(self, console: Console, scene: Scene) -> None:
        self._console = console
        self._scene = scene
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    async def run(self) -> None:
        """Keep the picture and the rates true until cancelled; the last picture stays."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._measure_rates)
            if self._live:
                await self._redraw(self._live)

    def enter_phase(self, text: str) -> None:
        """Say what happens now."""
        self._scene.phase = text
        if not self._live:
            self._console.print(text)

    def tell(self, entry: Entry) -> None:
        """Show an event of the sentinels."""
        if not self._live:
            self._console.print(_event_line(entry), highlight=False, soft_wrap=True)

    async def _redraw(self, live: Live) -> None:
        with live:
            try:
                while True:
                    live.update(self._picture(), refresh=True)
                    await trio.sleep(_REDRAW_INTERVAL_S)
            finally:
                live.update(self._picture(), refresh=True)

    async def _measure_rates(self) -> None:
        while True:
            before = Counter(self._scene.ledger.operations)
            started_s = trio.current_time()
            await trio.sleep(_RATE_WINDOW_S)
            elapsed_s = trio.current_time() - started_s
            done = self._scene.ledger.operations
            self._scene.rates = [(done[shard] - before[shard]) / elapsed_s for shard in range(self._scene.shards)]
            if not self._live:
                self._console.print(self._rates(), soft_wrap=True)

    def _rates(self) -> Text:
        shards = "   ".join(f"shard {shard}: {rate:4.0f}" for shard, rate in enumerate(self._scene.rates))
        errors = sum(self._scene.ledger.errors.values())
        return Text(f"operations/s   {shards}   errors: {errors}")

    def _picture(self) -> Group:
        events = Table(title="sentinels (seconds after the kill)", title_justify="left", box=None, show_header=False)
        for entry in self._scene.timeline.entries[-_SHOWN_EVENTS:]:
            events.add_row(f"{entry.seconds:+.2f}", f"[bold]{entry.event}[/]", entry.text, f"{len(entry.sentinels)} x")
        return Group(
            Text(self._scene.phase, style="bold"),
            status_table(self._scene.servers, ""),
            self._rates(),
            events,
        )


def _event_line(entry: Entry) -> str:
    return f"{entry.seconds:+7.2f} s  {entry.sentinels[0]}  {entry.event} {entry.text}"
