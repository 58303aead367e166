"""Accounts and emails with our client, on the official Auth emulator and on ours."""

from __future__ import annotations

import pytest

from firebase_rest import (
    EmailExists,
    InvalidActionCode,
    InvalidCredentials,
    SessionExpired,
    UserNotFound,
    UserSession,
    WeakPassword,
)
from firebase_rest.auth.action_codes import ActionCodeInfo, ActionCodeSettings
from official.auth_environment import EMAIL, PASSWORD, AuthEnvironment, exposed_secrets


def test_name_and_picture_are_set_and_cleared(environment: AuthEnvironment) -> None:
    session = environment.create_user()
    environment.auth.update_profile(session, "Ada", "http://example.com/ada.png")
    assert environment.account(session)["displayName"] == "Ada"
    assert environment.account(session)["photoUrl"] == "http://example.com/ada.png"
    environment.auth.update_profile(session, display_name="Countess")
    environment.auth.update_profile(session, delete_attribute="PHOTO_URL")
    account = environment.account(session)
    assert account["displayName"] == "Countess"
    assert "photoUrl" not in account
    environment.auth.update_profile(session, delete_attribute=["DISPLAY_NAME"])
    assert "displayName" not in environment.account(session)


def test_password_change_keeps_the_session_valid(environment: AuthEnvironment) -> None:
    session = environment.create_user()
    changes: list[UserSession] = []
    session.on_change(changes.append)
    environment.auth.change_password(session, "another horse")
    assert changes == [session]
    assert session.user["refreshToken"] == session.refresh_token
    assert environment.account(session)["email"] == EMAIL
    assert environment.auth.sign_in_with_email_and_password(EMAIL, "another horse")["localId"] == session.uid
    with pytest.raises(InvalidCredentials):
        environment.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)


def test_pyrebases_keywords_for_changes_work(environment: AuthEnvironment) -> None:
    user = environment.auth.create_user_with_email_and_password(EMAIL, PASSWORD)
    changed = environment.auth.change_password(user["idToken"], password="another horse")
    moved = environment.auth.change_email(changed["idToken"], email="b@example.com")
    assert moved["email"] == "b@example.com"
    assert moved["idToken"]


def test_weak_password_error_hides_the_password(environment: AuthEnvironment) -> None:
    session = environment.create_user()
    with pytest.raises(WeakPassword) as error:
        environment.auth.change_password(session, "abcd5")
    assert "6 characters" in error.value.message
    assert not exposed_secrets(error.value, session.id_token)


def test_email_change_can_be_reverted(environment: AuthEnvironment) -> None:
    session = environment.create_user()
    environment.auth.change_email(session, "new@example.com")
    assert environment.account(session)["email"] == "new@example.com"
    undo = environment.last_link()
    assert environment.auth.check_action_code(undo) == ActionCodeInfo("RECOVER_EMAIL", EMAIL)
    environment.auth.apply_action_code(undo)
    assert environment.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)["localId"] == session.uid


def test_change_to_existing_email_is_rejected(environment: AuthEnvironment) -> None:
    environment.create_user("b@example.com")
    session = environment.create_user()
    with pytest.raises(EmailExists):
        environment.auth.change_email(session, "b@example.com")
    with pytest.raises(EmailExists):
        environment.auth.verify_before_change_email(session, "b@example.com")


def test_email_changes_after_verification(environment: AuthEnvironment) -> None:
    session = environment.create_user()
    environment.auth.verify_before_change_email(session, "new@example.com")
    link = environment.last_link()
    assert environment.auth.check_action_code(link) == ActionCodeInfo(
        "VERIFY_AND_CHANGE_EMAIL", "new@example.com", EMAIL
    )
    environment.auth.apply_action_code(link)
    account = environment.account(session)
    assert account["email"] == "new@example.com"
    assert account["emailVerified"] is True


def test_verification_email_verifies_address(environment: AuthEnvironment) -> None:
    session = environment.create_user()
    assert (
        environment.auth.send_email_verification(session, settings="http://localhost/back", locale="fr")["email"]
        == EMAIL
    )
    link = environment.last_link()
    assert "continueUrl=http%3A%2F%2Flocalhost%2Fback" in link
    assert environment.auth.check_action_code(link).operation == "VERIFY_EMAIL"
    environment.auth.apply_action_code(link)
    assert environment.account(session)["emailVerified"] is True
    with pytest.raises(InvalidActionCode) as error:
        environment.auth.apply_action_code(link)
    assert not exposed_secrets(error.value, link.partition("oobCode=")[2].partition("&")[0])


def test_reset_email_resets_password(environment: AuthEnvironment) -> None:
    session = environment.create_user()
    settings = ActionCodeSettings("http://localhost/back", ios_bundle_id="com.example", android_package_name="a.b")
    environment.auth.send_password_reset_email(EMAIL, settings=settings)
    link = environment.last_link()
    assert environment.auth.check_action_code(link) == ActionCodeInfo("PASSWORD_RESET", EMAIL)
    with pytest.raises(WeakPassword):
        environment.auth.confirm_password_reset(link, "short")
    environment.auth.verify_password_reset_code(link.partition("oobCode=")[2].partition("&")[0], "another horse")
    assert environment.auth.sign_in_with_email_and_password(EMAIL, "another horse")["localId"] == session.uid


def test_password_reset_for_unknown_email(environment: AuthEnvironment) -> None:
    with pytest.raises(UserNotFound):
        environment.auth.send_password_reset_email("nobody@example.com")
    environment.set_email_privacy(True)
    before = len(environment.emails())
    environment.auth.send_password_reset_email("nobody@example.com")
    assert len(environment.emails()) == before


def test_deleted_account_signs_out_its_session(environment: AuthEnvironment) -> None:
    session = environment.create_user()
    token = session.id_token
    environment.auth.delete_user_account(session)
    assert not session.signed_in
    with pytest.raises(SessionExpired):
        session.current_token()
    with pytest.raises(UserNotFound):
        environment.auth.get_account_info(token)


def test_invalid_token_error_hides_the_token(environment: AuthEnvironment) -> None:
    with pytest.raises(SessionExpired) as error:
        environment.auth.get_account_info("this-is-no-token")
    assert error.value.code == "INVALID_ID_TOKEN"
    assert not exposed_secrets(error.value, "this-is-no-token")


def test_unlinking_email_removes_the_password(environment: AuthEnvironment) -> None:
    session = environment.auth.session(
        environment.auth.sign_in_with_custom_token(environment.auth.create_custom_token("ada"))
    )
    environment.auth.link_with_email_and_password(session, EMAIL, PASSWORD)
    assert environment.providers(session) == {"password"}
    environment.auth.unlink(session, "password")
    assert environment.providers(session) == set()
    assert "email" not in environment.account(session)
