"""How a setting is written: the kinds of values of redis.conf, their checks and Redis' words for what is wrong.

    text.py             settings as text, and the bytes that text stands for; numbers of bytes
    kinds.py            kinds of values that are one word, or one of some words
    composite_kinds.py  kinds of values that are made of several words
    rows.py             one option: its names, its kind, whether it may change while the node runs

The list of all settings is the class Config. (Redis: redis.conf, CONFIG SET, CONFIG REWRITE.)
"""
