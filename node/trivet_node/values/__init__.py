"""Pure data structures and algorithms on values: they know no clients, no clock and no commands."""
