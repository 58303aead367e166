"""Signing in with phone numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from official.scenarios.known_differences import create_user, scenario

if TYPE_CHECKING:
    from official.transcript import Transcript


def message(api: Transcript, number: str = "+15550100") -> dict[str, Any]:
    """Return the session info and the code of a message to a number."""
    session = api.post("sendVerificationCode", phoneNumber=number, recaptchaToken="any")["sessionInfo"]
    sms = api.sms()
    assert sms["sessionInfo"] == session
    return {"sessionInfo": session, "code": sms["code"]}


def another(code: str) -> str:
    return "000000" if code != "000000" else "111111"


@scenario
def sign_in_with_a_phone_number(api: Transcript) -> None:
    """The first sign-in creates an account, the second finds it. Only a valid code is consumed."""
    sent = message(api)
    api.post("signInWithPhoneNumber", sessionInfo=sent["sessionInfo"], code=another(sent["code"]))
    user = api.post("signInWithPhoneNumber", **sent)
    api.post("signInWithPhoneNumber", **sent)
    api.post("lookup", idToken=user["idToken"])
    api.refresh(user["refreshToken"])
    again = api.post("signInWithPhoneNumber", **message(api), operation="REAUTH")
    assert again["localId"] == user["localId"]
    api.emulator("GET", "verificationCodes")


@scenario
def phone_sign_in_rejected(api: Transcript) -> None:
    for fields in (
        {},
        {"phoneNumber": ""},
        {"phoneNumber": "5550100"},
        {"phoneNumber": ["+1"]},
        {"phoneNumber": "+1", "clientType": "CLIENT_TYPE_TOASTER"},
    ):
        api.post("sendVerificationCode", **fields)
    sent = message(api)
    for fields in (
        {},
        {"sessionInfo": sent["sessionInfo"]},
        {"code": sent["code"]},
        {"sessionInfo": "bad", "code": sent["code"]},
        {"temporaryProof": "bad"},
        {"temporaryProof": "bad", "phoneNumber": "+15550100"},
        {**sent, "idToken": "bad"},
        {**sent, "operation": "NOTHING"},
    ):
        api.post("signInWithPhoneNumber", **fields)


@scenario
def link_a_phone_number(api: Transcript) -> None:
    """A phone number is linked to an account with another provider, replaced and unlinked."""
    user = create_user(api)
    linked = api.post("signInWithPhoneNumber", idToken=user["idToken"], **message(api))
    assert linked["localId"] == user["localId"]
    api.post("lookup", idToken=linked["idToken"])
    api.post("signInWithPhoneNumber", idToken=user["idToken"], **message(api, "+15550101"))
    api.post("signInWithPhoneNumber", idToken=user["idToken"], **message(api, "+15550101"))
    api.post("createAuthUri", identifier="ada@example.com", continueUri="http://localhost")
    api.post("update", idToken=user["idToken"], deleteProvider=["phone"])
    api.post("lookup", idToken=user["idToken"])


@scenario
def phone_number_of_another_user(api: Transcript) -> None:
    """Linking a number of another account returns a temporary proof that signs in to that account."""
    owner = api.post("signInWithPhoneNumber", **message(api))
    user = create_user(api)
    response = api.post("signInWithPhoneNumber", idToken=user["idToken"], **message(api))
    proof = {"temporaryProof": response["temporaryProof"], "phoneNumber": response["phoneNumber"]}
    api.post("signInWithPhoneNumber", idToken=user["idToken"], **proof)
    api.post("signInWithPhoneNumber", temporaryProof=response["temporaryProof"])
    api.post("signInWithPhoneNumber", temporaryProof=response["temporaryProof"], phoneNumber="+15550199")
    assert api.post("signInWithPhoneNumber", **proof)["localId"] == owner["localId"]


@scenario
def a_disabled_phone_user(api: Transcript) -> None:
    user = api.post("signInWithPhoneNumber", **message(api))
    api.admin("/accounts:update", localId=user["localId"], disableUser=True)
    api.post("signInWithPhoneNumber", **message(api))
