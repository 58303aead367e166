"""The demo, and the calls of a tutorial written for pyrebase, pasted into a Python prompt."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.server import Server

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, str(ROOT / "examples" / "narrate.py"), str(ROOT / "examples" / "tutorial.py")]
COLOUR = "\033["

# As a reader of the tutorial would type it: straight quotes, an e-mail address, a dict where Flask has its session.
# A blank line ends a block, as at any prompt.
PASTED = """
import firebase_rest as pyrebase
firebase = pyrebase.initialize_app(config)
db = firebase.database()
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

ANSWERS = r"""
'morty@example\.com'
'morty@example\.com'
'morty@example\.com'
True
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

ANSWERED = [
    (
        '>>> user = auth.create_user_with_email_and_password("morty@example.com", "1234567")',
        "'email': 'morty@example.com'",
    ),
    (">>> auth.get_account_info(token)", "'kind': 'identitytoolkit#GetAccountInfoResponse'"),
    ('>>> db.child("users").child("Morty").get(token).val()', "{'name': 'Mortiest Morty', 'score': 7}"),
    (
        '>>> [each.val()["name"] for each in by_score.start_at(3).end_at(9).get(token).each()]',
        "['Summer Smith', 'Mortiest Morty']",
    ),
]


@pytest.fixture
def server() -> Iterator[Server]:
    with Emulator().serve() as server:
        yield server


def test_the_calls_of_a_pyrebase_tutorial_work_pasted_into_a_python_prompt(server: Server) -> None:
    typed = f"config = {server.config!r}\n{PASTED}\nfirebase.close()\n"
    environ = {**os.environ, **server.environ}
    prompt = subprocess.run(
        [sys.executable, "-i", "-q"], input=typed, env=environ, capture_output=True, text=True, timeout=60
    )
    assert "Error" not in prompt.stderr, prompt.stderr
    assert re.fullmatch(ANSWERS.strip(), prompt.stdout.strip()), prompt.stdout


def test_the_demo_tells_each_call_and_what_came_back_and_ends_with_a_live_stream() -> None:
    demo = subprocess.run(DEMO, capture_output=True, text=True, timeout=60)
    assert demo.returncode == 0, demo.stderr
    assert demo.stderr == ""
    assert COLOUR not in demo.stdout
    told = demo.stdout.splitlines()
    for call, answer in ANSWERED:
        answers = told[told.index(call) + 1 :][:6]
        assert answer in "\n".join(answers), call
    live = [line.split()[1:3] for line in told if line.startswith("   live:")]
    assert [event for event, _ in live] == ["put", "put", "patch", "put", "put"]
    assert [path[:2] for _, path in live] == ["/", "/-", "/-", "/-", "/"]
    assert told.index(">>> my_stream.close()") > max(number for number, line in enumerate(told) if "live:" in line)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are Unix")
@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_the_demo_is_in_colour_on_a_terminal_unless_that_is_unwanted(no_color: str, coloured: bool) -> None:
    master, slave = pty.openpty()
    with subprocess.Popen(DEMO, stdout=slave, env={**os.environ, "NO_COLOR": no_color}) as demo:
        os.close(slave)
        shown = read_terminal(master)
    assert demo.returncode == 0
    assert (COLOUR in shown) is coloured


def read_terminal(master: int) -> str:
    """All that was written to a terminal until its last writer closed it."""
    shown = b""
    with open(master, "rb", buffering=0) as terminal:
        try:
            while piece := terminal.read(4096):
                shown += piece
        except OSError:  # how Linux says that the other end is closed
            pass
    return shown.decode()
