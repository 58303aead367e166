"""Second factors: phone numbers on both emulators; authenticator apps, which the official one does not support."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from official.scenarios.known_differences import create_user, scenario
from official.scenarios.phones import another, message
from official.transcript import CUSTOM_TOKEN_AUDIENCE, claims_of, jwt

if TYPE_CHECKING:
    from official.transcript import Transcript


def verified(api: Transcript, email: str = "ada@example.com") -> Any:
    """Create a user with a verified email address."""
    user = create_user(api, email)
    api.post("sendOobCode", requestType="VERIFY_EMAIL", idToken=user["idToken"])
    api.post("update", oobCode=api.code()["oobCode"])
    return user


def enroll(api: Transcript, user: Any, number: str = "+15550100", **more: Any) -> Any:
    started = api.second_factor(
        "mfaEnrollment:start", idToken=user["idToken"], phoneEnrollmentInfo={"phoneNumber": number}
    )
    info = {"sessionInfo": started["phoneSessionInfo"]["sessionInfo"], "code": api.sms()["code"]}
    return api.second_factor("mfaEnrollment:finalize", idToken=user["idToken"], phoneVerificationInfo=info, **more)


@scenario
def a_text_message_as_second_factor(api: Transcript) -> None:
    """Every sign-in method requires an enrolled factor until it is withdrawn."""
    user = verified(api)
    enrolled = enroll(api, user, displayName="work phone")
    assert claims_of(enrolled["idToken"])["firebase"]["sign_in_second_factor"] == "phone"
    api.refresh(enrolled["refreshToken"])
    api.post("lookup", idToken=enrolled["idToken"])
    pending = api.post("signInWithPassword", email="ada@example.com", password="secret1")
    first = {"mfaPendingCredential": pending["mfaPendingCredential"]}
    [factor] = pending["mfaInfo"]
    started = api.second_factor(
        "mfaSignIn:start", **first, mfaEnrollmentId=factor["mfaEnrollmentId"], phoneSignInInfo={"recaptchaToken": "x"}
    )
    session, code = started["phoneResponseInfo"]["sessionInfo"], api.sms()["code"]
    wrong = {"sessionInfo": session, "code": another(code)}
    api.second_factor("mfaSignIn:finalize", **first, phoneVerificationInfo=wrong)
    right = {"sessionInfo": session, "code": code}
    signed_in = api.second_factor("mfaSignIn:finalize", **first, phoneVerificationInfo=right)
    api.second_factor("mfaSignIn:finalize", **first, phoneVerificationInfo=right)
    api.post("lookup", idToken=signed_in["idToken"])
    withdraw = {"idToken": signed_in["idToken"], "mfaEnrollmentId": factor["mfaEnrollmentId"]}
    api.second_factor("mfaEnrollment:withdraw", **withdraw)
    api.second_factor("mfaEnrollment:withdraw", **withdraw)
    api.post("lookup", idToken=signed_in["idToken"])
    api.post("signInWithPassword", email="ada@example.com", password="secret1")


@scenario
def other_first_factors_ask_for_the_second(api: Transcript) -> None:
    user = verified(api)
    enroll(api, user)
    enroll(api, user, "+44 20 7946 0958")
    api.post("sendOobCode", requestType="EMAIL_SIGNIN", email="ada@example.com", continueUrl="http://localhost")
    api.post("signInWithEmailLink", email="ada@example.com", oobCode=api.code()["oobCode"])
    credential = 'providerId=google.com&id_token={"sub":"g1","email":"ada@example.com","email_verified":true}'
    api.post("signInWithIdp", postBody=credential, requestUri="http://localhost")
    api.post("signInWithIdp", postBody=credential, requestUri="http://localhost")
    api.post("signInWithCustomToken", token=jwt({"aud": CUSTOM_TOKEN_AUDIENCE, "uid": user["localId"]}))
    api.post("signInWithPhoneNumber", idToken=user["idToken"], **message(api, "+15550102"))


@scenario
def enrolment_rejected(api: Transcript) -> None:
    user = create_user(api)
    anonymous = api.post("signUp")
    start, phone = "mfaEnrollment:start", {"phoneNumber": "+15550100"}
    api.second_factor(start)
    api.second_factor(start, idToken="bad")
    api.second_factor(start, idToken=anonymous["idToken"], phoneEnrollmentInfo=phone)
    api.second_factor(start, idToken=user["idToken"], phoneEnrollmentInfo=phone)
    checked = verified(api, "b@example.com")
    token = {"idToken": checked["idToken"]}
    api.second_factor(start, **token)
    api.second_factor(start, **token, phoneEnrollmentInfo={})
    api.second_factor(start, **token, phoneEnrollmentInfo={"phoneNumber": "5550100"})
    api.second_factor(start, **token, phoneEnrollmentInfo={"phoneNumber": 5})
    enroll(api, checked)
    api.second_factor(start, **token, phoneEnrollmentInfo=phone)
    finalize = "mfaEnrollment:finalize"
    api.second_factor(finalize)
    api.second_factor(finalize, **token)
    api.second_factor(finalize, **token, phoneVerificationInfo={})
    api.second_factor(finalize, **token, phoneVerificationInfo={"code": "123456"})
    api.second_factor(finalize, **token, phoneVerificationInfo={"code": "123456", "sessionInfo": "bad"})
    api.second_factor(finalize, **token, phoneVerificationInfo={"androidVerificationProof": "x"})
    api.second_factor(finalize, idToken=anonymous["idToken"], phoneVerificationInfo=message(api, "+15550103"))
    api.second_factor("mfaEnrollment:withdraw")
    api.second_factor("mfaEnrollment:withdraw", **token)
    api.second_factor("mfaEnrollment:withdraw", idToken=user["idToken"], mfaEnrollmentId="x")


@scenario
def second_factor_rejected(api: Transcript) -> None:
    user = verified(api)
    enroll(api, user)
    pending = api.post("signInWithPassword", email="ada@example.com", password="secret1")
    first = {"mfaPendingCredential": pending["mfaPendingCredential"]}
    start, finalize = "mfaSignIn:start", "mfaSignIn:finalize"
    api.second_factor(start)
    api.second_factor(start, **first)
    api.second_factor(start, **first, mfaEnrollmentId="x")
    api.second_factor(finalize)
    api.second_factor(finalize, **first)
    api.second_factor(finalize, **first, phoneVerificationInfo={})
    api.second_factor(finalize, **first, phoneVerificationInfo={"code": "123456"})
    api.second_factor(finalize, **first, phoneVerificationInfo=message(api, "+15550104"))
    with api.deliberate("a bad credential of a first factor"):
        api.second_factor(start, mfaPendingCredential="bad", mfaEnrollmentId="x")
    api.admin("/accounts:update", localId=user["localId"], disableUser=True)
    api.post("signInWithPassword", email="ada@example.com", password="secret1")


@scenario
def authenticator_apps(api: Transcript) -> None:
    user = verified(api)
    with api.deliberate("an authenticator app"):
        api.second_factor("mfaEnrollment:start", idToken=user["idToken"], totpEnrollmentInfo={})


@scenario
def factors_that_an_administrator_sets(api: Transcript) -> None:
    enrollment = {"phoneInfo": "+15550100", "displayName": "phone", "mfaEnrollmentId": "e1"}
    user = create_user(api)
    body = {"localId": user["localId"]}
    api.admin("/accounts:update", **body, mfa={"enrollments": [enrollment]})
    api.admin("/accounts:lookup", localId=[user["localId"]])
    api.post("signInWithPassword", email="ada@example.com", password="secret1")
    api.admin("/accounts:update", **body, mfa={"enrollments": [{"phoneInfo": "+15550100"}]})
    api.admin("/accounts:update", **body, mfa={"enrollments": [{**enrollment, "phoneInfo": "5"}]})
    api.admin("/accounts:update", **body, mfa={})
    api.post("signInWithPassword", email="ada@example.com", password="secret1")
    api.admin("/accounts", email="b@example.com", mfaInfo=[{"phoneInfo": "+15550101"}, {"phoneInfo": "+15550101"}])
    api.admin("/accounts:lookup", email=["b@example.com"])
