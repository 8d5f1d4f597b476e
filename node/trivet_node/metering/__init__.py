"""What commands cost, by slot and by key: pure counters that are fed by server/metering.py while somebody asks."""
