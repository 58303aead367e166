"""Everything that a first Firebase program does, one call after the other, against the embedded emulator.

`make demo` narrates it: the comments, each call as you would type it, and what came back. It also runs as it is, and
without its first four statements it runs against a project of your own.
"""

from __future__ import annotations

import os
from queue import Queue

import firebase_rest
from firebase_rest.emulator import Emulator

# == A Firebase to play with
# The emulator replaces Firebase: no account, no network. It publishes its address in environment variables.
server = Emulator().serve()
os.environ.update(server.environ)
config = server.config

# From here on nothing knows that this is not the real thing.
firebase = firebase_rest.initialize_app(config)
auth = firebase.auth()
db = firebase.database()

# == Who you are
# Sign up with an e-mail address and a password.
user = auth.create_user_with_email_and_password("morty@example.com", "1234567")

# Sign in. The ID token proves to Firebase who you are, for an hour; the refresh token gets a new one.
user = auth.sign_in_with_email_and_password("morty@example.com", "1234567")
token = user["idToken"]

# What Firebase knows about the account behind a token.
auth.get_account_info(token)

# Mails go out; the emulator keeps them instead.
auth.send_email_verification(token)
auth.send_password_reset_email("morty@example.com")

# Refresh the ID token before it expires, which it does after one hour.
user = auth.refresh(user["refreshToken"])
token = user["idToken"]

# A wrong password raises a specific error.
try:
    auth.sign_in_with_email_and_password("morty@example.com", "wrong")
except firebase_rest.errors.AuthError as error:
    print(type(error).__name__, error.code)

# == Saving data
# The database is one tree of JSON, and child() walks down it. push() adds a child under a new key that sorts by time.
pushed = db.child("user").push({"name": "Morty", "score": 7}, token)

# set() writes under a key that you choose, such as the user's own id.
db.child("carts").child(user["userId"]).set({"apples": 3, "pears": 1}, token)

# update() changes only what it names ...
db.child("users").child("Morty").set({"name": "Morty Smith", "score": 7}, token)
db.child("users").child("Morty").update({"name": "Mortiest Morty"}, token)

# ... in several places at once, all or nothing; generate_key() makes the keys that push() would.
data = {
    "users/Rick/": {"name": "Rick Sanchez", "score": 10},
    "users/Summer/": {"name": "Summer Smith", "score": 3},
    "users/" + db.generate_key(): {"name": "Jerry Smith", "score": 1},
    "users/" + db.generate_key(): {"name": "Birdperson", "score": 10},
}
db.update(data, token)

# == Reading it
# get() answers with the value and its key ...
db.child("users").child("Morty").get(token).val()

# ... and each() with the children, in Firebase's order.
users = db.child("users").get(token)
for each in users.each():
    print(each.key(), each.val()["name"])

len(users.val())

# shallow() gets the keys alone, however much hangs below them.
db.child("users").shallow().get(token).val()

# == Asking questions
# Order by a child, by key or by value; then a range, a value or a limit.
by_score = db.child("users").order_by_child("score")
[each.val()["name"] for each in by_score.limit_to_last(2).get(token).each()]
[each.val()["name"] for each in by_score.start_at(3).end_at(9).get(token).each()]
[each.val()["name"] for each in by_score.equal_to(10).get(token).each()]

db.child("users").order_by_key().limit_to_first(2).get(token).val()
db.child("carts").child(user["userId"]).order_by_value().get(token).val()

# remove() deletes.
db.child("users").child("Summer").remove(token)
print(db.child("users").child("Summer").get(token).val())

# == Live
# stream() calls a function of yours at every change, in a separate thread.
arrived: Queue[dict[str, object]] = Queue()


def stream_handler(message):
    print("   live:", message["event"], message["path"], message["data"])
    arrived.put(message)


my_stream = db.child("posts").stream(stream_handler, token, stream_id="new_posts")

# First comes what is there (nothing yet) ...
_ = arrived.get(timeout=10)

# ... then each change, as it happens.
post = db.child("posts").push({"title": "Hello", "body": "from Firebase"}, token)
_ = arrived.get(timeout=10)
db.child("posts").child(post["name"]).update({"title": "Hello, world"}, token)
_ = arrived.get(timeout=10)
db.child("posts").child(post["name"]).child("likes").set(1, token)
_ = arrived.get(timeout=10)
db.child("posts").remove(token)
_ = arrived.get(timeout=10)

my_stream.close()

# == Goodbye
auth.delete_user_account(token)
firebase.close()
server.close()
