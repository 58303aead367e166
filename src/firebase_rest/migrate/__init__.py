"""The migration checker: `python -m firebase_rest.migrate PATH...` reads programs written for pyrebase and its forks.

The law of this package: a program is read, never run or imported, and nothing goes over the network. It stands alone:
it takes nothing from the rest of firebase_rest.
"""
