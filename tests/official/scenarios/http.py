"""Credentials, bodies, paths, old names and unsupported operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from official.scenarios.known_differences import create_user, scenario
from official.transcript import IDENTITY, OWNER

if TYPE_CHECKING:
    from official.transcript import Transcript


@scenario
def fields_of_the_wrong_type(api: Transcript) -> None:
    for fields in (
        {"email": None},
        {"email": ["a"]},
        {"email": "b@example.com", "password": True},
        {"displayName": {"a": 1}, "email": None},
        {"disabled": "yes"},
        {"email": 3, "password": "secret1"},
        {"mfaInfo": 1},
    ):
        api.post("signUp", **fields)
    for fields in (
        {"deleteAttribute": "DISPLAY_NAME"},
        {"deleteAttribute": ["NOTHING"]},
        {"deleteAttribute": [{}]},
        {"displayName": None},
        {"disableUser": 1},
        {"linkProviderUserInfo": []},
        {"linkProviderUserInfo": {"rawId": True}},
    ):
        api.post("update", **fields)
    with api.deliberate("an invalid 64-bit integer"):
        api.post("update", validSince="soon")
    api.post("sendOobCode", requestType="NOTHING")
    api.post("sendOobCode", requestType=77)
    api.post("lookup", localId="x")
    api.post("createAuthUri", customParameter=[])
    api.post("signInWithPassword", returnSecureToken="true")


@scenario
def who_may_call(api: Transcript) -> None:
    """Users send an API key, administrators "Bearer owner"."""
    api.call("POST", f"{IDENTITY}accounts:signUp", json={})
    api.call("POST", f"{IDENTITY}accounts:signUp?key=", json={})
    api.call("POST", f"{IDENTITY}accounts:signUp", json={}, headers={"x-goog-api-key": "any"})
    user = create_user(api)
    for authorization in (
        "Bearer bad",
        f"Bearer {user['idToken']}",
        "Firebase x",
        "bearer OWNER",
        "Bearer ya29.x",
        "Bearer",
    ):
        headers = {"Authorization": authorization}
        api.call("POST", f"{IDENTITY}accounts:lookup?key=any", json={"idToken": user["idToken"]}, headers=headers)
    api.call("POST", f"{IDENTITY}accounts:delete?key=any", json={"idToken": user["idToken"]}, headers=OWNER)
    api.call("POST", f"{IDENTITY}accounts:update?key=any", json={"idToken": user["idToken"]}, headers=OWNER)
    admin_path = f"{IDENTITY}projects/demo-project/accounts"
    api.call("POST", admin_path, json={})
    api.call("POST", f"{admin_path}?key=any", json={})
    api.call("POST", f"{admin_path}:lookup?key=any", json={"localId": ["x"]})
    api.call("POST", f"{admin_path}:lookup", json={"localId": ["x"]}, headers={"Authorization": "Bearer bad"})
    api.call("GET", f"{admin_path}:batchGet")
    api.post("lookup", targetProjectId="demo-project", localId=["x"])
    api.call("POST", f"{IDENTITY}accounts:lookup", json={"targetProjectId": "other-project"}, headers=OWNER)
    api.admin("/accounts", project="other-project", localId="a1", email="ada@example.com")
    api.admin("/accounts:lookup", localId=["a1"])
    api.admin("/accounts:lookup", project="other-project", localId=["a1"])


@scenario
def bodies_that_are_not_json_objects(api: Transcript) -> None:
    path = f"{IDENTITY}accounts:signUp?key=any"
    json_type = {"Content-Type": "application/json"}
    for data, headers in (
        (b"", json_type),
        (b"[]", json_type),
        (b"{}", {"Content-Type": "application/json; charset=utf-8"}),
        (b"{}", {"Content-Type": "text/plain"}),
        (b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}),
    ):
        api.call("POST", path, data=data, headers=headers)
    with api.deliberate("the JSON parser's message"):
        for data in (b"{bad", b"3", b'"s"', b"null", b'{"a": NaN}'):
            api.call("POST", path, data=data, headers=json_type)
    with api.deliberate("no body at all"):
        api.call("POST", path)
        api.call("POST", path, data=b"{}")


@scenario
def paths_that_lead_nowhere(api: Transcript) -> None:
    api.call("GET", f"{IDENTITY}accounts:signUp?key=any")
    api.call("PUT", f"{IDENTITY}accounts:signUp?key=any&a=b%20c", json={})
    api.call("POST", f"{IDENTITY}projects?key=any", json={})
    api.call("GET", f"{IDENTITY}nothing?key=any")
    api.call("POST", f"{IDENTITY}accounts:nothing?key=any", json={})
    api.call("POST", f"{IDENTITY}projects/demo-project/accounts:nothing", json={}, headers=OWNER)
    api.call("GET", "/emulator/nothing")
    api.call("GET", "/www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com")
    api.call("GET", f"{IDENTITY}sessionCookiePublicKeys?key=any")
    with api.deliberate("the password policy"):
        api.call("GET", "/identitytoolkit.googleapis.com/v2/passwordPolicy?key=any")
    api.call("GET", "/identitytoolkit.googleapis.com/v2/recaptchaConfig?key=any")
    api.call("POST", "/identitytoolkit.googleapis.com/v2/accounts:revokeToken?key=any", json={})
    api.post("signInWithGameCenter")
    api.post("verifyIosClient")
    api.post("issueSamlResponse")


@scenario
def the_emulator_itself(api: Transcript) -> None:
    api.call("GET", "/")
    api.call("GET", f"{IDENTITY}projects?key=any")
    api.call("GET", f"{IDENTITY}projects")
    api.call("GET", f"{IDENTITY}recaptchaParams?key=any")
    api.emulator("GET", "verificationCodes")
    user = create_user(api)
    api.post("sendOobCode", requestType="PASSWORD_RESET", email="ada@example.com")
    api.emulator("DELETE", "accounts")
    api.emulator("GET", "oobCodes")
    api.post("lookup", idToken=user["idToken"])
    api.emulator("GET", "oobCodes", "other-project")


@scenario
def legacy_names(api: Transcript) -> None:
    """The v3 names of older clients return the responses of v1."""

    def legacy(name: str, verb: str = "POST", **fields: Any) -> Any:
        path = f"/www.googleapis.com/identitytoolkit/v3/relyingparty/{name}?key=any"
        return api.call(verb, path, json=fields) if verb == "POST" else api.call(verb, path)

    user = legacy("signupNewUser", email="ada@example.com", password="secret1")
    legacy("verifyPassword", email="ada@example.com", password="secret1")
    legacy("getAccountInfo", idToken=user["idToken"])
    legacy("getOobConfirmationCode", requestType=1, email="ada@example.com")
    legacy("resetPassword", oobCode=api.code()["oobCode"])
    legacy("setAccountInfo", idToken=user["idToken"], displayName="Ada")
    legacy("createAuthUri", identifier="ada@example.com", continueUri="http://localhost")
    legacy("verifyCustomToken", token='{"uid": "u1"}')
    legacy("getProjectConfig", "GET")
    legacy("deleteAccount", idToken=user["idToken"])
    legacy("emailLinkSignin")
