"""The `trivet` command: starts, shows, stops, demonstrates and measures clusters."""
