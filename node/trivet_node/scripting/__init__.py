"""Lua 5.1 for scripts and libraries of functions: a closed sandbox, and what passes its border."""
