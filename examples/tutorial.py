"""A first Firebase program: accounts, the database, queries, a stream and files, against the embedded emulator.

`make demo` prints its comments, each call as you would type it, and the result. It also runs as an ordinary script.
With your project's configuration in place of the emulator's, it runs against your project.
"""

from __future__ import annotations

import os
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory

import firebase_rest
from firebase_rest.emulator import Emulator

# == The emulator
# The emulator replaces Firebase, so you need no account and no network.
# It publishes its address in environment variables.
server = Emulator().serve()
os.environ.update(server.environ)
config = server.config

# From here on, the code is the same as for a real project.
firebase = firebase_rest.initialize_app(config)
auth = firebase.auth()
db = firebase.database()
storage = firebase.storage()

# == Accounts
# Sign up with an e-mail address and a password.
user = auth.create_user_with_email_and_password("morty@example.com", "1234567")

# Sign in. The ID token authenticates you for one hour. The refresh token gets a new ID token.
user = auth.sign_in_with_email_and_password("morty@example.com", "1234567")
token = user["idToken"]

# Read the account that the ID token belongs to.
auth.get_account_info(token)

# Firebase would send these e-mails. The emulator only stores them.
auth.send_email_verification(token)
auth.send_password_reset_email("morty@example.com")

# Refresh the ID token before it expires.
user = auth.refresh(user["refreshToken"])
token = user["idToken"]

# A wrong password raises a specific error.
try:
    auth.sign_in_with_email_and_password("morty@example.com", "wrong")
except firebase_rest.errors.AuthError as error:
    print(type(error).__name__, error.code)

# == Writing data
# The database is one JSON tree; child() refers to a child. push() adds a child under a new key that sorts by time.
pushed = db.child("user").push({"name": "Morty", "score": 7}, token)

# set() writes under a key that you choose, such as the user's ID.
db.child("carts").child(user["userId"]).set({"apples": 3, "pears": 1}, token)

# update() changes only the children that you list.
db.child("users").child("Morty").set({"name": "Morty Smith", "score": 7}, token)
db.child("users").child("Morty").update({"name": "Mortiest Morty"}, token)

# An update of several locations is atomic. generate_key() returns a key like those of push().
data = {
    "users/Rick/": {"name": "Rick Sanchez", "score": 10},
    "users/Summer/": {"name": "Summer Smith", "score": 3},
    "users/" + db.generate_key(): {"name": "Jerry Smith", "score": 1},
    "users/" + db.generate_key(): {"name": "Birdperson", "score": 10},
}
db.update(data, token)

# == Reading data
# get() returns a snapshot; val() is its value.
db.child("users").child("Morty").get(token).val()

# each() returns the children in Firebase's order.
users = db.child("users").get(token)
for item in users.each():
    print(item.key(), item.val()["name"])

len(users.val())

# shallow() gets the keys without the values.
db.child("users").shallow().get(token).val()

# == Queries
# Order by a child, by key or by value. Then select a range, one value, or a number of children.
by_score = db.child("users").order_by_child("score")
[item.val()["name"] for item in by_score.limit_to_last(2).get(token).each()]
[item.val()["name"] for item in by_score.start_at(3).end_at(9).get(token).each()]
[item.val()["name"] for item in by_score.equal_to(10).get(token).each()]

db.child("users").order_by_key().limit_to_first(2).get(token).val()
db.child("carts").child(user["userId"]).order_by_value().get(token).val()

# remove() deletes a value.
db.child("users").child("Summer").remove(token)
print(db.child("users").child("Summer").get(token).val())

# == Streams
# stream() calls your function for each change, in a separate thread.
arrived: Queue[dict[str, object]] = Queue()


def stream_handler(message):
    print("   live:", message["event"], message["path"], message["data"])
    arrived.put(message)


my_stream = db.child("posts").stream(stream_handler, token, stream_id="new_posts")

# The first event contains the current value, which is None.
_ = arrived.get(timeout=10)

# Then each change is an event.
post = db.child("posts").push({"title": "Hello", "body": "from Firebase"}, token)
_ = arrived.get(timeout=10)
db.child("posts").child(post["name"]).update({"title": "Hello, world"}, token)
_ = arrived.get(timeout=10)
db.child("posts").child(post["name"]).child("likes").set(1, token)
_ = arrived.get(timeout=10)
db.child("posts").remove(token)
_ = arrived.get(timeout=10)

my_stream.close()

# == Files
# put() uploads bytes, a file object or the file at a path, and returns the metadata.
notes = storage.child("users").child(user["userId"]).child("notes.txt")
notes.put(b"Buy apples and pears.", token)

# get_bytes() returns the contents, and get_download_url() a link for a browser.
notes.get_bytes(token=token)
notes.get_download_url(token)

# download() writes a local file.
folder = TemporaryDirectory()
copy = Path(folder.name, "notes.txt")
notes.download(copy, token)
copy.read_text(encoding="utf-8")
folder.cleanup()

# delete() removes the file from Storage.
notes.delete(token)

# == Closing
auth.delete_user_account(token)
firebase.close()
server.close()
