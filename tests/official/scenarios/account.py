"""A user reads, changes and deletes the own account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from official.scenarios.known_differences import create_user, scenario
from official.transcript import claims_of, jwt

if TYPE_CHECKING:
    from official.transcript import Transcript


@scenario
def lookup_rejected(api: Transcript) -> None:
    api.post("lookup")
    api.post("lookup", idToken="")
    api.post("lookup", idToken="nonsense")
    api.post("lookup", idToken="a.b.c")
    user = create_user(api)
    api.post("delete", idToken=user["idToken"])
    api.post("lookup", idToken=user["idToken"])
    with api.deliberate("an ID token without Firebase's claims"):
        api.post("lookup", idToken=jwt({"uid": "u1"}))
    with api.deliberate("an ID token of another project"):
        other = create_user(api, "b@example.com")
        api.post("lookup", idToken=jwt({**claims_of(other["idToken"]), "aud": "other-project"}))
    with api.deliberate("an expired ID token"):
        old = {**claims_of(other["idToken"]), "exp": claims_of(other["idToken"])["iat"] - 1}
        api.post("lookup", idToken=jwt(old))


@scenario
def a_disabled_user(api: Transcript) -> None:
    user = create_user(api)
    api.admin("/accounts:update", localId=user["localId"], disableUser=True)
    api.post("lookup", idToken=user["idToken"])
    api.post("update", idToken=user["idToken"], displayName="Ada")
    api.post("signInWithPassword", email="ada@example.com", password="secret1")
    api.post("signInWithPassword", email="ada@example.com", password="wrong")
    api.post("signInWithCustomToken", token=json.dumps({"uid": user["localId"]}))
    api.post("delete", idToken=user["idToken"])
    api.admin("/accounts:update", localId=user["localId"], disableUser=False)
    api.post("signInWithPassword", email="ada@example.com", password="secret1")


@scenario
def delete_oneself(api: Transcript) -> None:
    user = create_user(api)
    api.post("delete", idToken=user["idToken"])
    api.post("delete", idToken=user["idToken"])
    api.post("delete")
    api.post("delete", localId=user["localId"])
    create_user(api)


@scenario
def change_and_clear_the_profile(api: Transcript) -> None:
    """A profile update returns no tokens; deleteAttribute clears a property."""
    user = create_user(api)
    token = user["idToken"]
    api.post("update", idToken=token, displayName="Ada", photoUrl="http://x/y.png", returnSecureToken=True)
    api.post("lookup", idToken=token)
    api.post("update", idToken=token, deleteAttribute=["DISPLAY_NAME", "PHOTO_URL"])
    api.post("update", idToken=token, displayName="")
    api.post("update", idToken=token, displayName="Ada", deleteAttribute=["DISPLAY_NAME"])
    api.post("update", idToken=token, deleteAttribute=["USER_ATTRIBUTE_NAME_UNSPECIFIED"])
    api.post("update", idToken=token, deleteAttribute=[2])
    api.post("update", idToken=token)
    api.post("lookup", idToken=token)


@scenario
def update_rejected(api: Transcript) -> None:
    user = create_user(api)
    create_user(api, "b@example.com")
    token = user["idToken"]
    for fields in (
        {},
        {"displayName": "Ada"},
        {"idToken": "bad", "displayName": "Ada"},
        {"idToken": token, "email": "B@example.com"},
        {"idToken": token, "email": "nobody"},
        {"idToken": token, "password": "short"},
        {"idToken": token, "customAttributes": "{}"},
        {"idToken": token, "disableUser": True},
        {"idToken": token, "deleteAttribute": ["PROVIDER"]},
        {"idToken": token, "deleteAttribute": ["RAW_USER_INFO"]},
        {"idToken": token, "provider": ["google.com"]},
        {"idToken": token, "upgradeToFederatedLogin": False},
        {"idToken": token, "linkProviderUserInfo": {}},
        {"idToken": token, "linkProviderUserInfo": {"providerId": "google.com"}},
        {"oobCode": "bad"},
    ):
        api.post("update", **fields)
    api.post("update", idToken=token, emailVerified=True, phoneNumber="+15550100", localId="other")
    api.post("lookup", idToken=token)


@scenario
def change_the_password(api: Transcript) -> None:
    """A password change returns new tokens; only the new password is accepted."""
    user = create_user(api)
    changed = api.post("update", idToken=user["idToken"], password="secret2", returnSecureToken=True)
    api.post("lookup", idToken=changed["idToken"])
    api.post("signInWithPassword", email="ada@example.com", password="secret1")
    api.post("signInWithPassword", email="ada@example.com", password="secret2")
    api.refresh(changed["refreshToken"])
    with api.deliberate("refresh token after a new password"):
        api.refresh(user["refreshToken"])
    anonymous = api.post("signUp")
    api.post("update", idToken=anonymous["idToken"], password="secret1")


@scenario
def change_the_address(api: Transcript) -> None:
    """An email change returns new tokens, and an email to the previous address can revert it."""
    user = create_user(api)
    changed = api.post("update", idToken=user["idToken"], email="New@example.com", returnSecureToken=True)
    api.post("lookup", idToken=changed["idToken"])
    api.post("signInWithPassword", email="ada@example.com", password="secret1")
    api.post("signInWithPassword", email="new@example.com", password="secret1")
    with api.deliberate("refresh token after a new address"):
        api.refresh(user["refreshToken"])
    api.post("update", idToken=changed["idToken"], email="new@example.com")
    again = api.post("update", idToken=changed["idToken"], email="third@example.com")
    mails = api.emulator("GET", "oobCodes")["oobCodes"]
    assert [mail["requestType"] for mail in mails] == ["RECOVER_EMAIL"] * 2
    api.post("resetPassword", oobCode=mails[0]["oobCode"])
    api.post("update", oobCode=mails[0]["oobCode"])
    api.post("update", oobCode=mails[0]["oobCode"])
    api.post("update", oobCode=mails[1]["oobCode"])
    api.post("lookup", idToken=again["idToken"])


@scenario
def link_and_unlink_a_password(api: Transcript) -> None:
    user = api.post("signUp")
    older = jwt({**claims_of(user["idToken"]), "iat": claims_of(user["idToken"])["iat"] - 10})
    api.post("lookup", idToken=older)
    with_email = api.post("update", idToken=user["idToken"], email="ada@example.com")
    api.post("lookup", idToken=older)
    linked = api.post("update", idToken=with_email["idToken"], password="secret1")
    api.post("createAuthUri", identifier="ada@example.com", continueUri="http://localhost")
    api.post("update", idToken=linked["idToken"], deleteProvider=["google.com"])
    api.post("update", idToken=linked["idToken"], deleteProvider=["password"])
    api.post("lookup", idToken=linked["idToken"])
    api.post("signInWithPassword", email="ada@example.com", password="secret1")
    other = create_user(api)
    api.post("update", idToken=other["idToken"], deleteAttribute=["PASSWORD"])
    api.post("signInWithPassword", email="ada@example.com", password="secret1")
    api.post("update", idToken=other["idToken"], deleteAttribute=["EMAIL"])
    api.post("lookup", idToken=other["idToken"])
