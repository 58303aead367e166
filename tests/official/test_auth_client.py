"""Sign-in with our client, on the official Auth emulator and on ours."""

from __future__ import annotations

import json
import uuid

import pytest

from firebase_rest import (
    EmailExists,
    InvalidActionCode,
    InvalidCredentials,
    InvalidCustomToken,
    InvalidEmail,
    InvalidPhoneNumber,
    InvalidToken,
    InvalidVerificationCode,
    PhoneNumberExists,
    SessionExpired,
    UsageError,
    UserDisabled,
    UserNotFound,
    WeakPassword,
)
from firebase_rest.auth.action_codes import ActionCodeSettings
from official.auth_environment import EMAIL, NUMBER, PASSWORD, AuthEnvironment, exposed_secrets


def test_new_account_is_signed_in_and_can_sign_in(environment: AuthEnvironment) -> None:
    new = environment.auth.create_user_with_email_and_password("Ada@Example.com", PASSWORD)
    again = environment.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)
    assert new["localId"] == again["localId"]
    assert again["email"] == EMAIL
    assert again["expiresIn"] == "3600"
    assert environment.auth.current_user is again


def test_invalid_sign_up_raises_typed_error(environment: AuthEnvironment) -> None:
    environment.create_user()
    for email, password, problem in (
        (EMAIL, PASSWORD, EmailExists),
        ("nobody", PASSWORD, InvalidEmail),
        ("b@example.com", "short", WeakPassword),
        ("", "", UsageError),
    ):
        with pytest.raises(problem):
            environment.auth.create_user_with_email_and_password(email, password)


def test_wrong_password_and_unknown_email_raise_different_errors(environment: AuthEnvironment) -> None:
    environment.create_user()
    with pytest.raises(InvalidCredentials) as wrong:
        environment.auth.sign_in_with_email_and_password(EMAIL, "something else")
    assert wrong.value.code == "INVALID_PASSWORD"
    assert not exposed_secrets(wrong.value, "something else")
    with pytest.raises(UserNotFound):
        environment.auth.sign_in_with_email_and_password("b@example.com", PASSWORD)


def test_enumeration_protection_hides_unknown_email(environment: AuthEnvironment) -> None:
    environment.create_user()
    environment.set_email_privacy(True)
    for email in (EMAIL, "b@example.com"):
        with pytest.raises(InvalidCredentials) as error:
            environment.auth.sign_in_with_email_and_password(email, "something else")
        assert error.value.code == "INVALID_LOGIN_CREDENTIALS"


def test_disabled_user_cannot_sign_in(environment: AuthEnvironment) -> None:
    session = environment.create_user()
    environment.auth.admin.update_user(session.uid, disabled=True)
    with pytest.raises(UserDisabled):
        environment.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)
    with pytest.raises(UserDisabled):
        environment.auth.refresh(session.refresh_token)


def test_anonymous_user_has_no_providers(environment: AuthEnvironment) -> None:
    user = environment.auth.sign_in_anonymous()
    assert environment.auth.current_user is user
    assert environment.providers(user["idToken"]) == set()


def test_custom_token_signs_in_with_uid_and_claims(environment: AuthEnvironment) -> None:
    token = environment.auth.create_custom_token("ada", {"level": 7})
    user = environment.auth.sign_in_with_custom_token(token)
    assert user["localId"] == "ada"
    assert environment.auth.session(user).claims["level"] == 7
    with pytest.raises(InvalidCustomToken) as error:
        environment.auth.sign_in_with_custom_token("eyJ-no-token-at-all")
    assert not exposed_secrets(error.value, "eyJ-no-token-at-all")


def test_refresh_returns_tokens_of_the_same_user(environment: AuthEnvironment) -> None:
    user = environment.auth.sign_in_anonymous()
    fresh = environment.auth.refresh(user["refreshToken"])
    assert fresh["userId"] == fresh["localId"] == user["localId"]
    assert environment.account(fresh["idToken"])["localId"] == user["localId"]
    with pytest.raises(SessionExpired) as error:
        environment.auth.refresh("a-refresh-token-of-nobody")
    assert not exposed_secrets(error.value, "a-refresh-token-of-nobody")


# --- e-mail links ---


def test_email_link_signs_in(environment: AuthEnvironment) -> None:
    environment.auth.send_sign_in_link_to_email(EMAIL, "http://localhost/finish?a=b")
    link = environment.last_link()
    assert environment.auth.is_sign_in_with_email_link(link)
    user = environment.auth.sign_in_with_email_link(EMAIL, link)
    assert user["isNewUser"] is True
    assert environment.auth.fetch_sign_in_methods(EMAIL) == ["emailLink"]
    with pytest.raises(InvalidActionCode) as error:
        environment.auth.sign_in_with_email_link(EMAIL, link)
    assert not exposed_secrets(error.value, environment.auth.api_key or "", link.partition("oobCode=")[2][:54])


@pytest.mark.blocking_client
def test_continue_url_of_email_link_signs_in(environment: AuthEnvironment) -> None:
    environment.auth.send_sign_in_link_to_email(EMAIL, ActionCodeSettings("http://localhost/finish?a=b"))
    page = environment.app.requests.get(environment.last_link(), allow_redirects=False, timeout=20).headers["location"]
    assert page.startswith("http://localhost/finish?a=b")
    assert environment.auth.sign_in_with_email_link(EMAIL, page)["email"] == EMAIL


def test_email_link_of_another_address_is_rejected(environment: AuthEnvironment) -> None:
    environment.auth.send_sign_in_link_to_email(EMAIL, "http://localhost")
    with pytest.raises(InvalidEmail):
        environment.auth.sign_in_with_email_link("b@example.com", environment.last_link())


def test_linking_email_link_keeps_anonymous_uid(environment: AuthEnvironment) -> None:
    session = environment.auth.session(environment.auth.sign_in_anonymous())
    environment.auth.send_sign_in_link_to_email(EMAIL, "http://localhost")
    linked = environment.auth.link_with_email_link(session, EMAIL, environment.last_link())
    assert linked["localId"] == session.uid
    assert session.claims["email"] == EMAIL


# --- phone numbers ---


def test_sms_code_signs_in(environment: AuthEnvironment) -> None:
    info = environment.auth.send_verification_code(NUMBER, "a recaptcha token")
    with pytest.raises(InvalidVerificationCode) as error:
        environment.auth.sign_in_with_phone_number(
            info, "000000" if environment.last_sms_code() != "000000" else "111111"
        )
    assert not exposed_secrets(error.value, info)
    user = environment.auth.sign_in_with_phone_number(info, environment.last_sms_code())
    assert user["phoneNumber"] == NUMBER
    assert user["isNewUser"] is True
    with pytest.raises(InvalidVerificationCode):
        environment.auth.sign_in_with_phone_number(info, "123456")


def test_phone_number_without_country_code_is_rejected(environment: AuthEnvironment) -> None:
    with pytest.raises(InvalidPhoneNumber):
        environment.auth.send_verification_code("5550100")


def test_phone_number_is_linked_and_unlinked(environment: AuthEnvironment) -> None:
    session = environment.create_user()
    info = environment.auth.send_verification_code(NUMBER)
    assert environment.auth.link_with_phone_number(session, info, environment.last_sms_code())["localId"] == session.uid
    assert environment.providers(session) == {"password", "phone"}
    environment.auth.unlink(session, "phone")
    assert environment.providers(session) == {"password"}


def test_linked_phone_number_of_another_user_is_rejected(environment: AuthEnvironment) -> None:
    owner = environment.auth.sign_in_with_phone_number(
        environment.auth.send_verification_code(NUMBER), environment.last_sms_code()
    )
    session = environment.create_user()
    info = environment.auth.send_verification_code(NUMBER)
    with pytest.raises(PhoneNumberExists) as error:
        environment.auth.link_with_phone_number(session, info, environment.last_sms_code())
    proof = error.value.temporary_proof
    assert proof
    assert not exposed_secrets(error.value, proof, info)
    assert json.loads(error.value.args[1])["phoneNumber"] == NUMBER
    user = environment.auth.sign_in_with_phone_number(phone_number=error.value.phone_number, temporary_proof=proof)
    assert user["localId"] == owner["localId"]


# --- linking e-mail and password ---


@pytest.mark.parametrize("privacy", [False, True])
def test_linking_password_keeps_anonymous_uid(environment: AuthEnvironment, privacy: bool) -> None:
    environment.set_email_privacy(privacy)
    session = environment.auth.session(environment.auth.sign_in_anonymous())
    environment.auth.link_with_email_and_password(session, EMAIL, PASSWORD)
    assert environment.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)["localId"] == session.uid
    assert environment.account(session)["email"] == EMAIL


def test_linking_existing_email_is_rejected(environment: AuthEnvironment) -> None:
    environment.create_user()
    user = environment.auth.sign_in_anonymous()
    with pytest.raises(EmailExists):
        environment.auth.link_with_email_and_password(user["idToken"], EMAIL, PASSWORD)


# --- sign-in methods ---


def test_sign_in_methods_are_listed_without_enumeration_protection(environment: AuthEnvironment) -> None:
    environment.create_user()
    assert environment.auth.fetch_sign_in_methods(EMAIL) == ["password"]
    assert environment.auth.fetch_sign_in_methods("b@example.com") == []
    environment.set_email_privacy(True)
    assert environment.auth.fetch_sign_in_methods(EMAIL) == []
    with pytest.raises(InvalidEmail):
        environment.auth.fetch_sign_in_methods("nobody")


# --- tenants ---


def test_tenant_has_separate_users(environment: AuthEnvironment) -> None:
    environment.create_user()
    name = f"t-{uuid.uuid4().hex}"
    tenant = environment.app.auth(name)
    session = tenant.session(tenant.create_user_with_email_and_password(EMAIL, PASSWORD))
    assert session.claims["firebase"]["tenant"] == name
    assert tenant.sign_in_with_email_and_password(EMAIL, PASSWORD)["localId"] == session.uid
    assert environment.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)["localId"] != session.uid
    tenant.change_password(session, "another horse")
    assert tenant.get_account_info(session)["users"][0]["tenantId"] == name
    fresh = tenant.refresh(session.refresh_token)
    assert tenant.session(fresh).claims["firebase"]["tenant"] == name
    tenant.delete_user_account(session)


def test_tenant_admin_calls_affect_only_the_tenant(environment: AuthEnvironment) -> None:
    outsider = environment.create_user()
    name = f"t-{uuid.uuid4().hex}"  # deleting all accounts keeps the tenants
    tenant = environment.app.auth(name)
    user = tenant.sign_in_with_custom_token(tenant.create_custom_token("ada"))
    assert tenant.verify_id_token(user["idToken"])["firebase"]["tenant"] == name
    with pytest.raises(InvalidToken):
        tenant.verify_id_token(outsider.id_token)
    assert [record.uid for record in tenant.admin.list_users()] == ["ada"]
