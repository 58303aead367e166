"""The calls of a pyrebase tutorial, and the output of a Python prompt.

The calls have straight quotes, an e-mail address, and a dict in place of Flask's session. A blank line ends a block.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

AUTH = """
import firebase_rest as pyrebase
firebase = pyrebase.initialize_app(config)
auth = firebase.auth()
session = {}

user = auth.create_user_with_email_and_password("morty@example.com","1234567")
sign_user = auth.sign_in_with_email_and_password("morty@example.com", "1234567")
auth.send_email_verification(sign_user["idToken"])["email"]
reset_email = auth.send_password_reset_email("morty@example.com")
reset_email["email"]
session['user'] = sign_user['idToken']
token = session['user']
user = auth.get_account_info(token)
user["users"][0]["email"]
user["users"][0]["localId"] == sign_user["localId"]
"""

AUTH_OUTPUT = r"""
'morty@example\.com'
'morty@example\.com'
'morty@example\.com'
True
"""

DATABASE = """
db = firebase.database()
new_path = db.child("new_path")
db.child("new_path").child("child_of_child").path
json_data = {"name": "Morty", "email": "morty@example.com"}
u = db.child("user").push(json_data)
db.child("user").push({"name": "Rick"}, token)["name"][0]
sorted(u)
db.child("cart").child(sign_user["localId"]).set({"item": "apples"})

user = db.child("user").get()
for u in user.each():
    print(u.val()["name"])

type(user.each()[0].key())
len(db.child("user").get().val())
all_user_ids = db.child("user").shallow().get()
len(list(all_user_ids.val()))

from threading import Event
change = Event()
def stream_handler(message):
    print(message["event"])
    print(message["path"][:2])
    print(message["data"])
    print(message.get("stream_id"))
    if message["data"]:
        change.set()

my_stream = db.child("posts").stream(stream_handler, stream_id="new_posts")
posted = db.child("posts").push({"title": "Pyrebase", "body": "etc..."})
change.wait(20)
closed = my_stream.close()

db.child("users").child("Morty").update({"name": "Mortiest Morty"})
data = {
    "users/Morty/": {
        "name": "Mortimer 'Morty' Smith", "score": 3
    },
    "users/Rick/": {
        "name": "Rick Sanchez", "score": 10
    }
}
written = db.update(data)
ref = db
data = {
    "users/"+ref.generate_key(): {
        "name": "Beth", "score": 11
    },
    "users/"+ref.generate_key(): {
        "name": "Summer", "score": 10
    }
}
written = db.update(data)

users_by_name = db.child("users").order_by_child("name").limit_to_first(3).get()
[user.val()["name"] for user in users_by_name.each()]
users_by_name = db.child("users").order_by_child("name").get()
len(users_by_name.each())
users_by_score = db.child("users").order_by_child("score").equal_to(10).get()
[user.val()["name"] for user in users_by_score.each()]
users_by_score = db.child("users").order_by_child("score").start_at(3).end_at(10).get()
[user.val()["score"] for user in users_by_score.each()]
users_by_score = db.child("users").order_by_child("score").limit_to_first(5).get()
[user.val()["score"] for user in users_by_score.each()]
users_by_key = db.child("users").order_by_key().get()
[user.val()["name"] for user in users_by_key.each()]
users_by_value = db.child("users").order_by_value().get()
len(users_by_value.val())
[user.val()["name"] for user in db.sort(users_by_score, "name").each()]

db.child("users").child("Morty").remove()
print(db.child("users").child("Morty").get().val())
"""

DATABASE_OUTPUT = r"""
'new_path/child_of_child'
'-'
\['name'\]
{'item': 'apples'}
Morty
Rick
<class 'str'>
2
2
(?:put
/
None
new_posts
put
/-
{'body': 'etc\.\.\.', 'title': 'Pyrebase'}
new_posts
|put
/
{'-.{19}': {'body': 'etc\.\.\.', 'title': 'Pyrebase'}}
new_posts
)True
{'name': 'Mortiest Morty'}
\['Beth', "Mortimer 'Morty' Smith", 'Rick Sanchez'\]
4
\['Summer', 'Rick Sanchez'\]
\[3, 10, 10\]
\[3, 10, 10, 11\]
\['Beth', 'Summer', "Mortimer 'Morty' Smith", 'Rick Sanchez'\]
4
\['Beth', "Mortimer 'Morty' Smith", 'Rick Sanchez', 'Summer'\]
None
"""


def paste(typed: str, config: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """Return the output of a Python prompt for this text, after `config = ...`. Fails if a call failed."""
    lines = f"config = {dict(config)!r}\n{typed}\nfirebase.close()\n"
    command = [sys.executable, "-i", "-q"]
    environ = {**os.environ, **environ}
    prompt = subprocess.run(command, input=lines, env=environ, capture_output=True, text=True, timeout=60)
    assert "Error" not in prompt.stderr, prompt.stderr
    return prompt.stdout.strip()
