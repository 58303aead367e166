"""Security rules of the Realtime Database and of Cloud Storage: parsers, type checker and evaluator. Pure: no I/O.

https://firebase.google.com/docs/rules
"""
