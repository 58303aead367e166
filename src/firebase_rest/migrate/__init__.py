"""The migration checker: `python -m firebase_rest.migrate PATH...` checks programs written for pyrebase or its forks.

The checked program is parsed, never run or imported, and nothing is sent over the network. The package imports nothing
of the rest of firebase_rest.

A file is analysed by abstract interpretation: `expressions`, `calls` and `statements` evaluate its syntax to the
abstract `values` and `state`, `analysis` does so for one file and `project` for all of them. The `*_checks` modules
report what behaves differently; `checker` reads files and applies `fixes`.
"""
