"""Strings and numbers."""
