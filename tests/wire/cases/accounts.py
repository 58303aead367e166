"""All calls of Auth."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from wire.case import ID_TOKEN, CaseContext, Response, case

SIGNED_IN = json.dumps(
    {
        "kind": "identitytoolkit#VerifyPasswordResponse",
        "localId": "ada",
        "email": "ada@example.com",
        "idToken": ID_TOKEN,
        "refreshToken": "R",
        "expiresIn": "3600",
    }
)
BY_TOKEN = json.dumps({"kind": "k", "idToken": ID_TOKEN, "refreshToken": "R", "expiresIn": "3600", "isNewUser": False})
REFRESHED = json.dumps(
    {
        "access_token": ID_TOKEN,
        "expires_in": "3600",
        "token_type": "Bearer",
        "refresh_token": "R2",
        "id_token": ID_TOKEN,
        "user_id": "ada",
        "project_id": "1",
    }
)
DONE = '{"kind": "k", "email": "ada@example.com"}'
ERROR = Response('{"error": {"code": 400, "message": "INVALID_EMAIL"}}', 400)
WITHOUT_VALUE: dict[str, Callable[[Any, Any], Any]] = {
    "sign-in": lambda auth, value: auth.sign_in_with_email_and_password(value, value),
    "sign-in with the password": lambda auth, value: auth.sign_in_with_email_and_password("a@example.com", value),
    "sign-up": lambda auth, value: auth.create_user_with_email_and_password(value, value),
    "sign-up with the password": lambda auth, value: auth.create_user_with_email_and_password("a@example.com", value),
    "sign-in by a custom token": lambda auth, value: auth.sign_in_with_custom_token(value),
    "refresh": lambda auth, value: auth.refresh(value),
    "account info": lambda auth, value: auth.get_account_info(value),
    "verification mail": lambda auth, value: auth.send_email_verification(value),
    "reset mail": lambda auth, value: auth.send_password_reset_email(value),
    "reset": lambda auth, value: auth.verify_password_reset_code(value, value),
    "deletion": lambda auth, value: auth.delete_user_account(value),
    "change of the address": lambda auth, value: auth.change_email(value, value),
    "change of the password": lambda auth, value: auth.change_password(ID_TOKEN, value),
    "profile": lambda auth, value: auth.update_profile(value, value),
}
"""Arguments from an empty form or from a session without a user."""
ADA = ("ada@example.com", "secret")


def current_user(at: CaseContext) -> object:
    before = at.auth.current_user
    response = at.auth.sign_in_with_email_and_password(*ADA)
    after = at.auth.current_user
    at.auth.current_user = None
    return before, after == response, at.auth.current_user


def after_sign_up(at: CaseContext) -> object:
    at.auth.create_user_with_email_and_password(*ADA)
    at.auth.sign_in_with_custom_token("C")
    return at.auth.current_user


def after_anonymous(at: CaseContext) -> object:
    response = at.auth.sign_in_anonymous()
    return at.auth.current_user == response


def stored(at: CaseContext) -> object:
    response = at.auth.sign_in_with_email_and_password(*ADA)
    return type(response) is dict, json.loads(json.dumps(response)) == response


def claims(token: Any) -> object:
    """Return header and claims of a custom token without its times, and its lifetime in seconds."""
    text = token if isinstance(token, str) else token.decode()
    header, payload = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in text.split(".")[:2])
    lifetime = payload.pop("exp") - payload.pop("iat")
    return type(token).__name__, header, dict(sorted(payload.items())), lifetime


ACCOUNTS = {
    "sign_in_with_email_and_password": case(lambda at: at.auth.sign_in_with_email_and_password(*ADA), SIGNED_IN),
    "sign in by keyword": case(
        lambda at: at.auth.sign_in_with_email_and_password(email="é@example.com", password='pä ss"&+%'), SIGNED_IN
    ),
    "create_user_with_email_and_password": case(
        lambda at: at.auth.create_user_with_email_and_password(*ADA), SIGNED_IN
    ),
    "sign_in_anonymous": case(lambda at: at.auth.sign_in_anonymous(), SIGNED_IN),
    "sign_in_with_custom_token": case(lambda at: at.auth.sign_in_with_custom_token("C"), BY_TOKEN),
    "refresh": case(lambda at: at.auth.refresh("R/+ ="), REFRESHED),
    "get_account_info": case(
        lambda at: at.auth.get_account_info(ID_TOKEN), '{"kind": "k", "users": [{"localId": "ada"}]}'
    ),
    "send_email_verification": case(lambda at: at.auth.send_email_verification(ID_TOKEN), DONE),
    "send_password_reset_email": case(lambda at: at.auth.send_password_reset_email(ADA[0]), DONE),
    "verify_password_reset_code": case(lambda at: at.auth.verify_password_reset_code("code", "new-secret"), DONE),
    "delete_user_account": case(lambda at: at.auth.delete_user_account(ID_TOKEN), '{"kind": "k"}'),
    "change_email": case(lambda at: at.auth.change_email(ID_TOKEN, "new@example.com"), SIGNED_IN),
    "change_email without tokens": case(lambda at: at.auth.change_email(ID_TOKEN, "new@example.com", False), DONE),
    "change_password": case(lambda at: at.auth.change_password(ID_TOKEN, new_password="new-secret"), SIGNED_IN),
    "change_password without tokens": case(
        lambda at: at.auth.change_password(ID_TOKEN, "new-secret", return_secure_token=False), DONE
    ),
    "update_profile": case(lambda at: at.auth.update_profile(ID_TOKEN, "Ada", "https://example.com/a.png"), DONE),
    "update_profile, the name only": case(lambda at: at.auth.update_profile(ID_TOKEN, display_name="Ada"), DONE),
    "update_profile, a deletion": case(
        lambda at: at.auth.update_profile(ID_TOKEN, delete_attribute=["PHOTO_URL"]), DONE
    ),
    "update_profile, a deletion as text": case(
        lambda at: at.auth.update_profile(ID_TOKEN, None, None, "PHOTO_URL"), DONE
    ),
    **{
        f"{name} of {description}": case(lambda at, call=call, value=value: call(at.auth, value), ERROR)
        for name, call in WITHOUT_VALUE.items()
        for description, value in (("None", None), ("an empty text", ""))
    },
    "current_user": case(current_user, SIGNED_IN),
    "current_user after a sign-up": case(after_sign_up, SIGNED_IN),
    "current_user after an anonymous sign-in": case(after_anonymous, SIGNED_IN),
    "a sign-in can be stored": case(stored, SIGNED_IN),
    "auth with a service account": case(
        lambda at: at.admin.auth().sign_in_with_email_and_password(*ADA)["localId"], SIGNED_IN
    ),
    "create_custom_token": case(lambda at: claims(at.admin.auth().create_custom_token("ada"))),
    "create_custom_token with claims": case(
        lambda at: claims(at.admin.auth().create_custom_token("ada", {"premium": True}, 5))
    ),
    "create_custom_token without a service account": case(lambda at: at.auth.create_custom_token("ada")),
}
