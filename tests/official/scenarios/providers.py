"""Sign-in with identity providers, with credentials that both emulators accept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from official.scenarios.known_differences import create_user, scenario
from official.transcript import jwt

if TYPE_CHECKING:
    from official.transcript import Transcript

ADA = {"sub": "g1", "email": "Ada@example.com", "email_verified": True, "name": "Ada ü", "picture": "http://p/1"}


def idp(api: Transcript, provider: str = "google.com", claims: Any = None, **more: Any) -> Any:
    body = urlencode({"providerId": provider, "id_token": json.dumps(ADA if claims is None else claims)})
    return api.post(
        "signInWithIdp", **{"postBody": body, "requestUri": "http://localhost", "returnSecureToken": True, **more}
    )


@scenario
def sign_in_by_a_provider(api: Transcript) -> None:
    """The first sign-in creates an account, the second finds it."""
    user = idp(api)
    api.post("lookup", idToken=user["idToken"])
    assert idp(api)["localId"] == user["localId"]
    api.refresh(user["refreshToken"])
    api.post("createAuthUri", identifier="ada@example.com", continueUri="http://localhost")
    idp(api, "facebook.com", {"sub": "f1"})
    idp(api, "GitHub.com", {"sub": "h1", "screen_name": "ada", "email": "h@example.com"})
    idp(api, "oidc.mine", {"sub": "o1", "email": "o@example.com", "extra": [1, {"a": "ü"}]})
    idp(api, claims={"sub": "g2", "given_name": "A", "family_name": "B", "email": "g2@example.com"})
    token = jwt({**ADA, "sub": "g3", "email": "g3@example.com"})
    api.post("signInWithIdp", postBody=f"providerId=google.com&id_token={token}", requestUri="http://localhost")
    body = urlencode({"providerId": "twitter.com", "access_token": '{"sub":"t1"}', "oauth_token_secret": "s"})
    api.post("signInWithIdp", postBody=body, requestUri="http://localhost")
    api.post(
        "signInWithIdp",
        requestUri="http://localhost/?" + urlencode({"providerId": "yahoo.com", "id_token": '{"sub":"x"}'}),
    )
    api.post(
        "signInWithIdp",
        requestUri="http://localhost/?providerId=microsoft.com#" + urlencode({"id_token": '{"sub":"y"}', "state": "s"}),
    )


@scenario
def sign_in_by_saml(api: Transcript) -> None:
    def saml(response: Any, sub: str = "s1") -> Any:
        fields = {"providerId": "saml.mine", "id_token": json.dumps({"sub": sub, "email": "s@example.com"})}
        body = urlencode({**fields, "SAMLResponse": json.dumps(response)})
        return api.post("signInWithIdp", postBody=body, requestUri="http://localhost")

    saml({"assertion": {"subject": {"nameId": "name@example.com"}, "attributeStatements": {"group": ["a"]}}})
    saml({"assertion": {"subject": {"nameId": "no address"}}}, "s2")
    idp(api, "saml.mine", {"sub": "s3"})
    saml({})
    saml({"assertion": {}})
    saml({"assertion": {"subject": {}}})


@scenario
def provider_sign_in_rejected(api: Transcript) -> None:
    home = "http://localhost"
    for fields in (
        {},
        {"requestUri": "nowhere"},
        {"requestUri": home},
        {"requestUri": home + "/a?b=c#d=e", "postBody": "f=g"},
        {"requestUri": home, "postBody": "providerId=google.com"},
        {"requestUri": home, "postBody": "providerId=google.com&id_token=bad"},
        {"requestUri": home, "postBody": "providerId=google.com&id_token={bad"},
        {"requestUri": home, "postBody": "providerId=google.com&id_token={}"},
        {"requestUri": home, "postBody": 'providerId=google.com&id_token={"sub":5}'},
        {"requestUri": home, "postBody": "providerId=google.com&access_token=opaque"},
        {"requestUri": home, "postBody": "providerId=apple.com&access_token=opaque"},
        {"requestUri": home, "postBody": "providerId=github.com&access_token=opaque"},
        {"requestUri": home, "pendingToken": "opaque"},
        {"requestUri": home, "returnRefreshToken": True},
        {"requestUri": home, "pendingIdToken": "x"},
        {"requestUri": home, "returnSecureToken": "yes"},
    ):
        api.post("signInWithIdp", **fields)
    idp(api, idToken="bad")
    user = idp(api)
    api.admin("/accounts:update", localId=user["localId"], disableUser=True)
    idp(api)


@scenario
def link_a_provider(api: Transcript) -> None:
    """The uid is unchanged; an anonymous user gets the provider's email address."""
    user = api.post("signUp")
    linked = idp(api, idToken=user["idToken"])
    assert linked["localId"] == user["localId"]
    api.post("lookup", idToken=linked["idToken"])
    idp(api, idToken=user["idToken"])
    idp(api, idToken=user["idToken"], returnIdpCredential=True)
    idp(api, "facebook.com", {"sub": "f1", "email": "other@example.com"}, idToken=user["idToken"])
    api.post("update", idToken=user["idToken"], deleteProvider=["google.com"])
    api.post("lookup", idToken=user["idToken"])
    other = create_user(api, "b@example.com")
    idp(api, "facebook.com", {"sub": "f1"}, idToken=other["idToken"])
    idp(api, claims={"sub": "g9", "email": "ada@example.com"}, idToken=other["idToken"])
    idp(api, claims={"sub": "g9", "email": "ada@example.com"}, idToken=other["idToken"], returnIdpCredential=True)
    idp(api, claims={"sub": "g9", "email": "b@example.com", "email_verified": True}, idToken=other["idToken"])
    api.post("lookup", idToken=other["idToken"])


@scenario
def a_provider_that_vouches_for_a_known_address(api: Transcript) -> None:
    """The sign-in finds the account with the address, and removes its password if the address was not verified."""
    create_user(api, displayName="Old")
    user = idp(api)
    api.post("lookup", idToken=user["idToken"])
    api.post("signInWithPassword", email="ada@example.com", password="secret1")
    idp(api, claims={**ADA, "sub": "g2"})
    idp(api, "facebook.com", {**ADA, "sub": "f1", "name": "New"})
    api.admin("/accounts:lookup", email=["ada@example.com"])


@scenario
def a_provider_that_does_not_vouch_for_a_known_address(api: Transcript) -> None:
    """The sign-in needs a confirmation by the owner of the account."""
    user = create_user(api)
    unsure = {**ADA, "email_verified": False}
    idp(api, claims=unsure)
    idp(api, claims=unsure, returnIdpCredential=True)
    idp(api, "facebook.com", {"sub": "f1", "email": "ada@example.com"}, idToken=user["idToken"])
    idp(api, claims=unsure)
    idp(api, claims=unsure, idToken=user["idToken"])
    idp(api, claims=unsure)


@scenario
def several_accounts_per_address(api: Transcript) -> None:
    api.emulator("PATCH", "config", json={"signIn": {"allowDuplicateEmails": True}})
    create_user(api)
    user = idp(api)
    api.post("lookup", idToken=user["idToken"])
    idp(api)
    idp(api, "facebook.com", {**ADA, "sub": "f1"}, idToken=user["idToken"])
    api.post("createAuthUri", identifier="ada@example.com", continueUri="http://localhost")
    api.emulator("PATCH", "config", json={"signIn": {"allowDuplicateEmails": False}})
