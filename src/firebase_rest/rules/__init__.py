"""Security rules of the Realtime Database and of Cloud Storage: parsers, a type checker and evaluators. Without I/O.

https://firebase.google.com/docs/rules
"""
