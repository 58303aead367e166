"""What programs make of errors."""

from __future__ import annotations

import json
from typing import Any

from wire.case import CaseContext, Response, WireCase, case

DENIED = Response('{\n  "error" : "Permission denied"\n}', 401)
EXISTS = Response(json.dumps({"error": {"code": 400, "message": "EMAIL_EXISTS", "errors": []}}), 400)
WEAK = Response(json.dumps({"error": {"code": 400, "message": "WEAK_PASSWORD : Password should be at least 6"}}), 400)
GONE = Response("Not Found", 404, {"Content-Type": "text/plain"})


def caught(call: Any, take: Any, response: Response) -> WireCase:
    """Return the result of `take` for the error that `call` raises."""

    def take_it(at: CaseContext) -> object:
        try:
            call(at)
        except Exception as error:  # noqa: BLE001 - the exception is recorded
            return take(error)
        return "no error"

    return case(take_it, response)


def read(at: CaseContext) -> Any:
    return at.db.child("x").get()


def sign_up(at: CaseContext) -> Any:
    return at.auth.create_user_with_email_and_password("ada@example.com", "secret")


DATABASE_CALLS = {
    "get": lambda reference: reference.get(),
    "push": lambda reference: reference.push(1),
    "set": lambda reference: reference.set(1),
    "update": lambda reference: reference.update({"a": 1}),
    "remove": lambda reference: reference.remove(),
    "get_etag": lambda reference: reference.get_etag(),
    "conditional_set": lambda reference: reference.conditional_set(1, "tag"),
    "conditional_remove": lambda reference: reference.conditional_remove("tag"),
}

ERRORS = {
    **{
        f"rejected {name}": case(lambda at, call=call: call(at.db.child("x")), DENIED)
        for name, call in DATABASE_CALLS.items()
    },
    "a rejected sign-up": case(sign_up, EXISTS),
    "a weak password": case(sign_up, WEAK),
    "a missing index": case(
        lambda at: at.db.child("x").order_by_child("a").get(),
        Response('{"error": "Index not defined, add \\".indexOn\\": \\"a\\""}', 400),
    ),
    "a token that has expired": case(
        lambda at: at.db.child("x").get("T"), Response('{"error": "Auth token is expired"}', 401)
    ),
    "an error that is not JSON": case(read, GONE),
    "an error with non-ASCII letters": case(read, Response('{"error": "refusé"}', 403)),
    "a server that failed": case(
        lambda at: at.db.child("x").push(1), Response('{"error": "Internal server error."}', 500)
    ),
    "a server that failed once": case(
        lambda at: at.db.child("x").get().val(),
        Response('{"error": "Busy"}', 500, {"Retry-After": "0"}),
        Response("1"),
    ),
    "the message in args": caught(sign_up, lambda error: json.loads(error.args[1])["error"]["message"], EXISTS),
    "the message in strerror": caught(sign_up, lambda error: json.loads(error.strerror)["error"]["message"], EXISTS),
    "the message in the text": caught(sign_up, lambda error: "EMAIL_EXISTS" in str(error), EXISTS),
    "the first word of errno": caught(sign_up, lambda error: str(error.errno).split()[0], EXISTS),
    "the response in args": caught(sign_up, lambda error: error.args[0].response.json(), EXISTS),
    "the database's message": caught(read, lambda error: json.loads(error.args[1])["error"], DENIED),
    "the status in args": caught(read, lambda error: error.args[0].response.status_code, DENIED),
    "the response of the error": caught(read, lambda error: getattr(error.response, "status_code", None), DENIED),
    "caught as OSError": caught(read, lambda error: isinstance(error, OSError), DENIED),
    "the words of the first": caught(read, lambda error: str(error.args[0]).partition(" for url")[0], DENIED),
    "the kind of the first": caught(read, lambda error: type(error.args[0]).__name__, DENIED),
    "the text of the response": caught(read, lambda error: error.args[0].response.text, DENIED),
    "the headers of the response": caught(read, lambda error: error.args[0].response.headers["content-type"], DENIED),
    "the verb of the response's request": caught(read, lambda error: error.args[0].response.request.method, DENIED),
    "the reason of the response": caught(read, lambda error: error.args[0].response.reason, DENIED),
    "how many args": caught(read, lambda error: len(error.args), DENIED),
}
