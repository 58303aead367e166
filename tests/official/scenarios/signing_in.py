"""Sign-up, sign-in and refresh."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from official.scenarios.known_differences import create_user, scenario
from official.transcript import CUSTOM_TOKEN_AUDIENCE, base64url, claims_of, jwt

if TYPE_CHECKING:
    from official.transcript import Transcript


@scenario
def sign_up_with_email(api: Transcript) -> None:
    """The response to a sign-up has the address in lower case and the tokens."""
    user = api.post("signUp", email="Ada@Example.com", password="secret1", displayName="Ada", returnSecureToken=True)
    api.post("lookup", idToken=user["idToken"])
    api.post("signUp", email="b@example.com", password="secret1", photoUrl="http://ignored/")
    api.post("signUp", display_name="snake", email="c@example.com", password="secret1", return_secure_token=True)
    api.post("signUp", email="d@example.com", password=1234567, unknownField=1)


@scenario
def sign_up_anonymously(api: Transcript) -> None:
    user = api.post("signUp", returnSecureToken=True)
    api.post("lookup", idToken=user["idToken"])
    api.post("signUp")


@scenario
def sign_up_rejected(api: Transcript) -> None:
    create_user(api)
    for fields in (
        {"email": "ADA@example.com", "password": "secret1"},
        {"email": "ada@example.com", "password": "short"},
        {"email": "b@example.com", "password": "short"},
        {"email": "nobody", "password": "secret1"},
        {"email": "@", "password": "secret1"},
        {"email": "a@b@c", "password": "secret1"},
        {"email": "b@example.com"},
        {"email": "b@example.com", "password": ""},
        {"password": "secret1"},
        {"email": "", "password": "secret1"},
        {"email": "", "password": ""},
        {"email": ""},
        {"localId": "mine"},
        {"idToken": "bad", "email": "b@example.com", "password": "secret1"},
        {"idToken": "bad"},
    ):
        api.post("signUp", **fields)


@scenario
def upgrade_an_anonymous_user(api: Transcript) -> None:
    """The uid is unchanged; the account gets an e-mail address and a password."""
    user = api.post("signUp", returnSecureToken=True)
    upgraded = create_user(api, idToken=user["idToken"])
    assert upgraded["localId"] == user["localId"]
    api.post("lookup", idToken=upgraded["idToken"])
    api.post("signInWithPassword", email="ada@example.com", password="secret1", returnSecureToken=True)
    api.post("signUp", idToken=upgraded["idToken"], email="ada@example.com", password="secret1")
    api.post("signUp", idToken=upgraded["idToken"], password="secret1")
    api.post("signUp", idToken=upgraded["idToken"], email="b@example.com")


@scenario
def sign_in_with_password(api: Transcript) -> None:
    user = create_user(api, displayName="Ada")
    signed_in = api.post("signInWithPassword", email="ADA@example.com", password="secret1", returnSecureToken=True)
    assert signed_in["localId"] == user["localId"]
    api.post("lookup", idToken=signed_in["idToken"])
    for fields in (
        {"email": "ada@example.com", "password": "wrong"},
        {"email": "nobody@example.com", "password": "secret1"},
        {"email": "nobody", "password": "secret1"},
        {"email": "", "password": "secret1"},
        {"password": "secret1"},
        {"email": "ada@example.com"},
        {"email": "ada@example.com", "password": ""},
        {},
        {"email": "ada@example.com", "password": "secret1", "captchaResponse": "x"},
        {"email": "ada@example.com", "password": "secret1", "idToken": signed_in["idToken"]},
    ):
        api.post("signInWithPassword", **fields)


@scenario
def sign_in_with_custom_token(api: Transcript) -> None:
    claims = {"aud": CUSTOM_TOKEN_AUDIENCE, "uid": "u1", "claims": {"level": 7, "deep": {"a": [1]}}}
    user = api.post("signInWithCustomToken", token=jwt(claims), returnSecureToken=True)
    api.post("lookup", idToken=user["idToken"])
    again = api.post("signInWithCustomToken", token=jwt(claims, algorithm="RS256", signature=b"any"))
    assert claims_of(api.refresh(again["refreshToken"])["id_token"])["level"] == 7
    api.post("signInWithCustomToken", token=json.dumps({"uid": "u2"}))
    api.post("signInWithCustomToken", token=json.dumps({"user_id": "u3", "claims": {}}))
    api.post("signInWithCustomToken", token=json.dumps({"uid": 5}))
    api.post("signInWithCustomToken", token=json.dumps({"uid": 1.5}))
    api.post("signInWithCustomToken", token=json.dumps({"uid": True}))
    api.post("signInWithCustomToken", token=json.dumps({"uid": "u4", "claims": {"email": "x@y", "name": "N"}}))


@scenario
def custom_token_rejected(api: Transcript) -> None:
    unsigned = jwt({"aud": CUSTOM_TOKEN_AUDIENCE, "uid": "u1"})
    for token in (
        "",
        "nonsense",
        "a.b.c",
        unsigned.rstrip("."),
        jwt({"uid": "u1"}),
        jwt({"uid": "u1", "aud": "other"}),
        jwt({"aud": CUSTOM_TOKEN_AUDIENCE}),
        "{bad",
        "{}",
        json.dumps({"uid": ""}),
        json.dumps({"uid": {}}),
        json.dumps({"uid": "u1", "claims": None}),
        json.dumps({"uid": "u1", "claims": [1]}),
        json.dumps({"uid": "u1", "claims": {"sub": 1}}),
        json.dumps({"uid": "u1", "claims": {"c_hash": 1, "aud": 2}}),
    ):
        api.post("signInWithCustomToken", token=token)
    api.post("signInWithCustomToken", returnSecureToken=True)
    with api.deliberate("a token whose header is not an object"):
        api.post("signInWithCustomToken", token=f"{base64url([1])}.{base64url({})}.")


@scenario
def sign_in_with_email_link(api: Transcript) -> None:
    mail = {"requestType": "EMAIL_SIGNIN", "continueUrl": "http://localhost/x?y=1", "canHandleCodeInApp": True}
    api.post("sendOobCode", email="Ada@example.com", **mail)
    code = api.code()["oobCode"]
    api.post("resetPassword", oobCode=code)
    api.post("signInWithEmailLink", email="other@example.com", oobCode=code)
    api.post("signInWithEmailLink", oobCode=code)
    api.post("signInWithEmailLink", email="ada@example.com")
    api.post("signInWithEmailLink", email="ada@example.com", oobCode="bad")
    user = api.post("signInWithEmailLink", email="ADA@example.com", oobCode=code)
    api.post("signInWithEmailLink", email="ada@example.com", oobCode=code)
    api.post("lookup", idToken=user["idToken"])
    api.post("createAuthUri", identifier="ada@example.com", continueUri="http://localhost")
    api.post("sendOobCode", email="ada@example.com", **mail)
    api.post("signInWithEmailLink", email="ada@example.com", oobCode=api.code()["oobCode"])
    other = api.post("signUp", returnSecureToken=True)
    api.post("sendOobCode", email="ada@example.com", **mail)
    taken = api.code()["oobCode"]
    api.post("signInWithEmailLink", email="ada@example.com", oobCode=taken, idToken=other["idToken"])
    api.post("sendOobCode", email="new@example.com", **mail)
    api.post("signInWithEmailLink", email="new@example.com", oobCode=api.code()["oobCode"], idToken=other["idToken"])


@scenario
def ways_to_sign_in(api: Transcript) -> None:
    target = {"continueUri": "http://localhost"}
    api.post("createAuthUri", identifier="ada@example.com", **target)
    create_user(api)
    api.post("createAuthUri", identifier="ADA@example.com", **target)
    api.post("createAuthUri", identifier="ada@example.com", sessionId="mine", **target)
    api.post("createAuthUri", identifier="nobody", **target)
    api.post("createAuthUri", identifier="ada@example.com")
    api.post("createAuthUri", identifier="ada@example.com", continueUri="no url")
    api.post("createAuthUri", **target)
    with api.deliberate("a provider's page"):
        api.post("createAuthUri", providerId="google.com", **target)


@scenario
def refresh_by_form_and_by_json(api: Transcript) -> None:
    user = create_user(api)
    fresh = api.refresh(user["refreshToken"])
    assert claims_of(fresh["id_token"])["auth_time"] == claims_of(user["idToken"])["auth_time"]
    api.refresh(fresh["refresh_token"])
    path = "/securetoken.googleapis.com/v1/token?key=any"
    api.call("POST", path, json={"grantType": "refresh_token", "refreshToken": user["refreshToken"]})
    api.call("POST", path, json={"grant_type": "refresh_token", "refresh_token": user["refreshToken"]})
    api.call("POST", path, json={})
    api.call("POST", path, json={"grantType": "password"})
    api.call("POST", path, json={"grantType": "refresh_token"})
    api.call("POST", path, json={"grantType": "refresh_token", "refreshToken": 5})
    api.call("POST", path, data={"grant_type": "refresh_token", "refresh_token": ""})
    api.call("POST", "/securetoken.googleapis.com/v1/token", data={"grant_type": "refresh_token"})
    api.refresh("nonsense")
    api.refresh(base64url({"localId": "x"}))
    api.post("lookup", idToken=fresh["id_token"])


@scenario
def refresh_without_a_user(api: Transcript) -> None:
    disabled, deleted = create_user(api), create_user(api, "b@example.com")
    api.admin("/accounts:update", localId=disabled["localId"], disableUser=True)
    api.post("delete", idToken=deleted["idToken"])
    api.refresh(disabled["refreshToken"])
    api.refresh(deleted["refreshToken"])
