"""A sentinel: watches primaries, agrees with others that one is down, elects a leader and promotes a replica."""
