"""Action codes, the links that carry them, and enumeration protection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from official.scenarios.known_differences import create_user, scenario
from official.transcript import claims_of

if TYPE_CHECKING:
    from official.transcript import Transcript


@scenario
def verify_the_address(api: Transcript) -> None:
    user = create_user(api)
    api.post("sendOobCode", requestType="VERIFY_EMAIL", idToken=user["idToken"], email="ignored@example.com")
    code = api.code()["oobCode"]
    api.post("resetPassword", oobCode=code)
    api.post("resetPassword", oobCode=code, newPassword="secret2")
    api.post("update", oobCode=code)
    api.post("update", oobCode=code)
    api.post("lookup", idToken=user["idToken"])
    assert claims_of(api.refresh(user["refreshToken"])["id_token"])["email_verified"] is True
    assert api.emulator("GET", "oobCodes")["oobCodes"] == []


@scenario
def reset_the_password(api: Transcript) -> None:
    """A code remains valid after a check and after a weak password. A confirmed reset verifies the address too."""
    user = create_user(api)
    api.post("sendOobCode", requestType="PASSWORD_RESET", email="ADA@example.com")
    code = api.code()["oobCode"]
    api.post("resetPassword", oobCode=code)
    api.post("update", oobCode=code)
    api.post("signInWithEmailLink", email="ada@example.com", oobCode=code)
    api.post("resetPassword", oobCode=code, newPassword="short")
    api.post("resetPassword", oobCode=code, newPassword="secret2")
    api.post("resetPassword", oobCode=code, newPassword="secret2")
    api.post("resetPassword", newPassword="secret2")
    api.post("resetPassword", oobCode="bad")
    api.post("resetPassword", email="ada@example.com", oldPassword="secret2", newPassword="secret3")
    api.post("signInWithPassword", email="ada@example.com", password="secret1")
    signed_in = api.post("signInWithPassword", email="ada@example.com", password="secret2")
    api.post("lookup", idToken=signed_in["idToken"])
    with api.deliberate("refresh token after a reset"):
        api.refresh(user["refreshToken"])
    api.post("sendOobCode", requestType="PASSWORD_RESET", email="ada@example.com")
    api.post("delete", idToken=signed_in["idToken"])
    api.post("resetPassword", oobCode=api.code()["oobCode"], newPassword="secret2")


@scenario
def verify_and_change_the_address(api: Transcript) -> None:
    user = create_user(api)
    create_user(api, "taken@example.com")
    mail_request = {"requestType": "VERIFY_AND_CHANGE_EMAIL", "idToken": user["idToken"]}
    api.post("sendOobCode", **mail_request, newEmail="New@example.com")
    mail = api.code()
    assert mail["newEmail"] == "new@example.com"
    api.post("resetPassword", oobCode=mail["oobCode"])
    api.post("update", oobCode=mail["oobCode"])
    api.post("lookup", idToken=user["idToken"])
    api.post("sendOobCode", **mail_request, newEmail="taken@example.com")
    api.post("sendOobCode", **mail_request)
    api.post("sendOobCode", requestType="VERIFY_AND_CHANGE_EMAIL", newEmail="x@example.com")
    api.post("sendOobCode", **mail_request, newEmail="late@example.com")
    late = api.code()["oobCode"]
    create_user(api, "late@example.com")
    api.post("update", oobCode=late)
    assert api.emulator("GET", "oobCodes")["oobCodes"] == []


@scenario
def mails_rejected(api: Transcript) -> None:
    anonymous = api.post("signUp")
    for fields in (
        {},
        {"requestType": "OOB_REQ_TYPE_UNSPECIFIED"},
        {"requestType": "PASSWORD_RESET"},
        {"requestType": "PASSWORD_RESET", "email": "nobody@example.com"},
        {"requestType": 1, "email": "nobody@example.com"},
        {"requestType": "EMAIL_SIGNIN"},
        {"requestType": "VERIFY_EMAIL"},
        {"requestType": "VERIFY_EMAIL", "idToken": "bad"},
        {"requestType": "VERIFY_EMAIL", "idToken": anonymous["idToken"]},
        {"requestType": "VERIFY_AND_CHANGE_EMAIL", "newEmail": "x@y", "idToken": anonymous["idToken"]},
        {"requestType": "RECOVER_EMAIL", "email": "ada@example.com"},
        {"requestType": "PASSWORD_RESET", "email": "ada@example.com", "returnOobLink": True},
        {"requestType": "PASSWORD_RESET", "email": "ada@example.com", "continueUrl": "no url"},
        {"requestType": "PASSWORD_RESET", "email": "ada@example.com", "continueUrl": "http://"},
    ):
        api.post("sendOobCode", **fields)
    api.emulator("GET", "oobCodes")


@scenario
def links_opened_in_a_browser(api: Transcript) -> None:
    """The link in an email performs its action and reports it."""
    user = create_user(api)

    def follow(**query: str) -> Any:
        return api.call("GET", "/emulator/action", params={"apiKey": "any", **query})

    def mail(**fields: Any) -> str:
        api.post("sendOobCode", **fields)
        return api.code()["oobCode"]

    verify = mail(requestType="VERIFY_EMAIL", idToken=user["idToken"])
    follow(mode="verifyEmail", oobCode=verify)
    follow(mode="verifyEmail", oobCode=verify)
    reset = mail(requestType="PASSWORD_RESET", email="ada@example.com")
    follow(mode="verifyEmail", oobCode=reset)
    follow(mode="resetPassword", oobCode=reset)
    follow(mode="resetPassword", oobCode=reset, newPassword="NEW_PASSWORD_HERE")
    follow(mode="resetPassword", oobCode=reset, newPassword="short")
    follow(mode="resetPassword", oobCode=reset, newPassword="secret2")
    follow(mode="resetPassword", oobCode=reset, newPassword="secret2")
    signed_in = api.post("signInWithPassword", email="ada@example.com", password="secret2")
    again = mail(requestType="PASSWORD_RESET", email="ada@example.com", continueUrl="http://localhost/done")
    follow(mode="resetPassword", oobCode=again, newPassword="secret2", continueUrl="http://localhost/done")
    signed_in = api.post("signInWithPassword", email="ada@example.com", password="secret2")
    change = mail(requestType="VERIFY_AND_CHANGE_EMAIL", idToken=signed_in["idToken"], newEmail="new@example.com")
    follow(mode="verifyAndChangeEmail", oobCode=change)
    follow(mode="verifyAndChangeEmail", oobCode=change)
    api.post("update", idToken=signed_in["idToken"], email="third@example.com")
    recover = api.code()["oobCode"]
    follow(mode="recoverEmail", oobCode="bad")
    follow(mode="recoverEmail", oobCode=recover)
    follow(mode="recoverEmail", oobCode=recover)
    sign_in = mail(requestType="EMAIL_SIGNIN", email="x@example.com", continueUrl="http://localhost/?a=b")
    follow(mode="signIn", oobCode=sign_in)
    follow(mode="signIn", oobCode=sign_in, lang="en", continueUrl="http://localhost/?a=b")
    follow(mode="nothing", oobCode=sign_in)
    follow(mode="signIn")
    api.call("GET", "/emulator/action", params={"mode": "signIn"})


@scenario
def enumeration_protection(api: Transcript) -> None:
    """With enumeration protection, responses do not reveal whether an address has an account."""
    api.emulator("GET", "config")
    user = create_user(api)
    api.set_email_privacy(True)
    api.emulator("PATCH", "config", json={"signIn": {"allowDuplicateEmails": True}})
    api.emulator("PATCH", "config", json={"signIn": {"allowDuplicateEmails": False}})
    with api.deliberate("an empty change of the settings"):
        api.emulator("PATCH", "config", json={})
    api.set_email_privacy(True)
    api.emulator("PATCH", "config", json={"emailPrivacyConfig": {"enableImprovedEmailPrivacy": "on"}})
    api.emulator("GET", "config")
    api.post("signInWithPassword", email="ada@example.com", password="wrong")
    api.post("signInWithPassword", email="nobody@example.com", password="secret1")
    api.post("signInWithPassword", email="ada@example.com", password="secret1")
    api.post("createAuthUri", identifier="ada@example.com", continueUri="http://localhost")
    api.post("sendOobCode", requestType="PASSWORD_RESET", email="nobody@example.com")
    api.post("sendOobCode", requestType="PASSWORD_RESET", email="ada@example.com")
    api.emulator("GET", "oobCodes")
    create_user(api)
    create_user(api, "b@example.com")
    with api.deliberate("registered address under enumeration protection"):
        api.post(
            "sendOobCode", requestType="VERIFY_AND_CHANGE_EMAIL", idToken=user["idToken"], newEmail="b@example.com"
        )
    with api.deliberate("e-mail change under enumeration protection"):
        api.post("update", idToken=user["idToken"], email="c@example.com")
