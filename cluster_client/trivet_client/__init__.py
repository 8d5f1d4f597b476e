"""A slot-aware client for Trivet and Redis clusters."""
