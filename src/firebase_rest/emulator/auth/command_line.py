"""Operations that the Firebase command line uses for `auth:import` and `auth:export`.

Most are operations of API version 3. The last two in this file are those that the command line calls first.
https://firebase.google.com/docs/cli/auth
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from firebase_rest.emulator.auth.administration import batch_create, batch_get
from firebase_rest.emulator.auth.errors import validate
from firebase_rest.emulator.auth.tokens import LIFETIME

if TYPE_CHECKING:
    from firebase_rest.emulator.auth.bodies import AuthRequest
    from firebase_rest.emulator.auth.model import Payload
    from firebase_rest.transport.wire import Json

_SCRYPT_VERSION = 0
"""The version of password hashes in Firebase's own format. The command line exports only these hashes."""


def upload_account(request: AuthRequest) -> Payload:
    """`uploadAccount`: import users, as `accounts:batchCreate` does.

    As in production, a successful response has no `error`. The command line would report an empty list as a problem.
    """
    _require_administrator(request)
    payload = batch_create(request)
    return {name: value for name, value in payload.items() if value != []}


def download_account(request: AuthRequest) -> Payload:
    """`downloadAccount`: return a page of users, as `accounts:batchGet` does, with the versions of password hashes."""
    _require_administrator(request)
    params = {name: value for name, value in request.body.fields().items() if isinstance(value, str)}
    payload = batch_get(replace(request, params=params))
    users = payload["users"]
    assert isinstance(users, list)
    return {**payload, "users": [_with_version(request, user) for user in users]}


def _with_version(request: AuthRequest, user: Json) -> Json:
    assert isinstance(user, dict)
    account = request.project.accounts.get(str(user["localId"]))
    if account is None or account.hash_parameters.get("hashAlgorithm") != "SCRYPT":
        return user
    return {**user, "version": _SCRYPT_VERSION}


def sign_out_user(request: AuthRequest) -> Payload:
    """`signOutUser`: revoke all tokens of a user."""
    _require_administrator(request)
    account = request.project.accounts.get(request.body.string("localId"))
    validate(account, "USER_NOT_FOUND")
    if account is not None:
        account.revoke(str(request.project.now()))
    return {"localId": request.body.string("localId")}


def _require_administrator(request: AuthRequest) -> None:
    validate(request.is_admin and request.body.string("targetProjectId"), "INSUFFICIENT_PERMISSION")


def grant_access_token(_: AuthRequest) -> Payload:
    """POST `/oauth2/v3/token`: return the access token of an administrator for any refresh token."""
    return {"access_token": "owner", "expires_in": LIFETIME, "token_type": "Bearer"}


def test_permissions(request: AuthRequest) -> Payload:
    """`projects/P:testIamPermissions` of the Resource Manager: return all permissions in the request."""
    permissions: list[Json] = [*request.body.strings("permissions")]
    return {"permissions": permissions}
