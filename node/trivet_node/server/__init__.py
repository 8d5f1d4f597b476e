"""The running server: the state that commands work on, and what it does for several of them or by itself.

docs/architecture.md says what each file is, from the roof down.
"""
