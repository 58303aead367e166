"""The migration checker: `python -m firebase_rest.migrate PATH...` checks programs written for pyrebase or its forks.

The checked program is parsed, never run or imported, and nothing is sent over the network. The package imports no other
module of firebase_rest.

A file is analysed by abstract interpretation: `expressions`, `calls` and `statements` evaluate its syntax to the values
and states of `domain`; `context` is the state of one file, `project` of all files. The `*_checks` modules report code
that behaves differently. `checker` reads the files and applies `fixes`.
"""
