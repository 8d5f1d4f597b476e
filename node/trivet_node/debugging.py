"""What DEBUG has switched on or off in a running node. Everything is off until somebody says so."""

from typing import final


@final
class DebugSwitches:
    """Switches, each with the subcommand of DEBUG that it belongs to."""

    def __init__(self) -> None:
        # PAUSE-CRON: nothing happens by itself but the end of waits.
        self.cron_paused: bool = False
        # SET-SKIP-CHECKSUM-VALIDATION: of snapshots and of RESTORE's payloads.
        self.skips_checksums: bool = False
        # SET-DISABLE-DENY-SCRIPTS: scripts may call what they otherwise may not.
        self.allows_denied_scripts: bool = False
        # LEAK: what is kept for nobody.
        self.leaked: list[bytes] = []
