"""A typical pyrebase program: a sign-in, the database with a stream, a file. CONFIG is its configuration.

The tests run it installed, frozen, zipped and with other packages; its output must always be the same (`SAID`).
"""

import json
import os
import ssl
import sys
from importlib.util import find_spec
from queue import Queue

import requests

import firebase_rest
import pyrebase

firebase = pyrebase.initialize_app(json.loads(os.environ["CONFIG"]))
auth = firebase.auth()
auth.create_user_with_email_and_password("morty@example.com", "1234567")
user = auth.sign_in_with_email_and_password("morty@example.com", "1234567")
print(auth.get_account_info(user["idToken"])["users"][0]["email"])

db = firebase.database()
db.child("users").child("morty").set({"score": 7}, user["idToken"])
print([(each.key(), each.val()) for each in db.child("users").order_by_child("score").get(user["idToken"]).each()])
arrived = Queue()
stream = db.child("users").stream(arrived.put, user["idToken"])
print(arrived.get(timeout=10)["data"])
stream.close()

storage = firebase.storage()
storage.child("hello.txt").put(b"hello", user["idToken"])
print(requests.get(storage.child("hello.txt").get_url(user["idToken"]), timeout=10).text)
auth.delete_user_account(user["idToken"])
print("google-auth is loaded:", "google.auth" in sys.modules)

# HTTPS needs certificates. Public names are loaded one by one at first use.
print("certificates:", ssl.create_default_context(cafile=requests.certs.where()).cert_store_stats()["x509_ca"] > 0)
print("names missing:", [name for name in firebase_rest.__all__ if not hasattr(firebase_rest, name)])
print("names missing:", [name for name in pyrebase.pyrebase.__all__ if not hasattr(pyrebase.pyrebase, name)])
print("extras:", [name for name in ("keyring",) if find_spec(name)])
