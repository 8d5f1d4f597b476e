"""Scripts and functions. (Redis: group "scripting".)"""
