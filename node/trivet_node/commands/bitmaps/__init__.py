"""Strings as bitmaps and as integers of any width."""
