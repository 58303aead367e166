"""Requests of administrators."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from official.scenarios.known_differences import create_user, scenario
from official.transcript import claims_of

if TYPE_CHECKING:
    from official.transcript import Transcript


@scenario
def administer_accounts(api: Transcript) -> None:
    api.admin("/accounts", localId="a1", email="Ada@example.com", password="secret1", displayName="Ada")
    api.admin(
        "/accounts", localId="a2", phoneNumber="+15550100", disabled=True, photoUrl="http://x/", emailVerified=True
    )
    api.admin("/accounts", localId="a3", email="c@example.com", emailVerified=True)
    api.admin("/accounts", email="d@example.com")
    for fields in (
        {"localId": "a1"},
        {"email": "ada@example.com"},
        {"email": "nobody"},
        {"phoneNumber": "+15550100"},
        {"phoneNumber": "15550100"},
        {"password": "short"},
        {"localId": 7},
    ):
        api.admin("/accounts", **fields)
    api.admin("/accounts:lookup", localId=["a1", "a2", "nobody"])
    api.admin("/accounts:lookup", email=["ADA@example.com"], localId=["a1"], phoneNumber=["+15550100"])
    api.admin("/accounts:lookup", localId=["nobody"])
    api.admin("/accounts:lookup")
    api.admin("/accounts:lookup", initialEmail=["x@example.com"])
    api.admin("/accounts:delete", localId="a3")
    api.admin("/accounts:delete", localId="a3")
    api.admin("/accounts:delete")
    api.post("signInWithPassword", email="ada@example.com", password="secret1")


@scenario
def administer_one_account(api: Transcript) -> None:
    api.admin("/accounts", localId="a1", email="ada@example.com", password="secret1")
    api.admin("/accounts", localId="a2", email="b@example.com", phoneNumber="+15550101")
    for fields in (
        {"displayName": "Ada", "photoUrl": "http://x/", "emailVerified": True, "phoneNumber": "+15550100"},
        {"customAttributes": '{"admin": true}'},
        {"customAttributes": '{"sub": 1}'},
        {"customAttributes": "[]"},
        {"customAttributes": "nonsense"},
        {"customAttributes": json.dumps({"a": "x" * 1000})},
        {"customAttributes": {}},
        {"email": "new@example.com"},
        {"email": "b@example.com"},
        {"phoneNumber": "+15550101"},
        {"phoneNumber": "5550101"},
        {"password": "secret2"},
        {"linkProviderUserInfo": {"providerId": "google.com", "rawId": "g1", "email": "g@example.com"}},
        {"deleteProvider": ["phone"]},
        {"deleteAttribute": ["DISPLAY_NAME"]},
        {"createdAt": "1000", "lastLoginAt": 2000},
    ):
        api.admin("/accounts:update", localId="a1", **fields)
    api.admin("/accounts:update", localId="nobody", displayName="x")
    api.admin("/accounts:update", displayName="x")
    api.admin("/accounts:lookup", federatedUserId=[{"providerId": "google.com", "rawId": "g1"}])
    api.admin("/accounts:lookup", federatedUserId=[{"providerId": "google.com", "rawId": "g2"}, {}])
    api.post("createAuthUri", identifier="g@example.com", continueUri="http://localhost")
    api.post("createAuthUri", identifier="new@example.com", continueUri="http://localhost")
    assert claims_of(api.post("signInWithPassword", email="new@example.com", password="secret2")["idToken"])["admin"]
    api.admin("/accounts:update", localId="a1", customAttributes="{}")
    api.admin("/accounts:lookup", localId=["a1"])


@scenario
def revoke_sessions(api: Transcript) -> None:
    user = create_user(api)
    later = claims_of(user["idToken"])["iat"] + 5
    api.admin("/accounts:update", localId=user["localId"], validSince=later)
    api.post("lookup", idToken=user["idToken"])
    api.post("update", idToken=user["idToken"], displayName="Ada")
    with api.deliberate("refresh token after validSince"):
        api.refresh(user["refreshToken"])


@scenario
def page_through_accounts(api: Transcript) -> None:
    for number in range(5):
        api.admin("/accounts", localId=f"a{number}")
    page = api.admin("/accounts:batchGet", "GET", maxResults=2)
    page = api.admin("/accounts:batchGet", "GET", maxResults=2, nextPageToken=page["nextPageToken"])
    api.admin("/accounts:batchGet", "GET", maxResults=2, nextPageToken=page["nextPageToken"])
    api.admin("/accounts:batchGet", "GET", maxResults=5)
    api.admin("/accounts:batchGet", "GET", maxResults=5, nextPageToken="a4")
    api.admin("/accounts:batchGet", "GET")
    api.admin("/accounts:query")
    api.admin("/accounts:query", returnUserInfo=False)
    api.admin("/accounts:query", order="DESC", sortBy="USER_ID", offset=0)
    api.admin("/accounts:query", limit=1)
    api.admin("/accounts:query", offset=1)
    api.admin("/accounts:query", sortBy="NAME")
    api.admin("/accounts:query", expression=[{"email": "x"}])
    api.admin(":queryAccounts", returnUserInfo=False)


@scenario
def delete_many_accounts(api: Transcript) -> None:
    for number in range(4):
        api.admin("/accounts", localId=f"a{number}", disabled=number == 0)
    api.admin("/accounts:batchDelete", localIds=["a0", "nobody", "a1"])
    api.admin("/accounts:batchDelete", localIds=["a1", "a2"], force=True)
    api.admin("/accounts:batchDelete", localIds=[])
    api.admin("/accounts:batchDelete", localIds=["x"] * 1001)
    api.admin("/accounts:batchGet", "GET")


@scenario
def action_links_for_administrators(api: Transcript) -> None:
    create_user(api)
    create_user(api, "taken@example.com")
    link_request = {"email": "Ada@example.com", "returnOobLink": True}
    api.admin("/accounts:sendOobCode", requestType="VERIFY_EMAIL", **link_request)
    api.admin(
        "/accounts:sendOobCode", requestType="PASSWORD_RESET", continueUrl="http://localhost/a b?c=ü~*", **link_request
    )
    api.admin("/accounts:sendOobCode", requestType="EMAIL_SIGNIN", **link_request)
    api.admin(
        "/accounts:sendOobCode", requestType="VERIFY_AND_CHANGE_EMAIL", newEmail="new@example.com", **link_request
    )
    api.admin(
        "/accounts:sendOobCode", requestType="VERIFY_AND_CHANGE_EMAIL", newEmail="taken@example.com", **link_request
    )
    api.admin("/accounts:sendOobCode", requestType="VERIFY_AND_CHANGE_EMAIL", **link_request)
    api.admin("/accounts:sendOobCode", requestType="VERIFY_EMAIL", email="nobody@example.com", returnOobLink=True)
    api.admin("/accounts:sendOobCode", requestType="VERIFY_EMAIL", returnOobLink=True)
    api.admin("/accounts:sendOobCode", requestType="PASSWORD_RESET", email="ada@example.com")
    api.emulator("GET", "oobCodes")


@scenario
def session_cookies(api: Transcript) -> None:
    user = create_user(api)
    api.admin(":createSessionCookie", idToken=user["idToken"], validDuration="3600")
    api.admin(":createSessionCookie", idToken=user["idToken"], validDuration=60)
    api.admin(":createSessionCookie", idToken=user["idToken"], validDuration=60 * 60 * 24 * 15)
    api.admin(":createSessionCookie", idToken="bad")
    api.admin(":createSessionCookie")
