"""A sentinel: watches primaries, agrees with other sentinels that one is down, elects a leader and promotes a replica."""
