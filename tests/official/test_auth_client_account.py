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
from official.auth_world import EMAIL, PASSWORD, World, shows


def test_name_and_picture_are_set_and_cleared(world: World) -> None:
    session = world.someone()
    world.auth.update_profile(session, "Ada", "http://example.com/ada.png")
    assert world.account(session)["displayName"] == "Ada"
    assert world.account(session)["photoUrl"] == "http://example.com/ada.png"
    world.auth.update_profile(session, display_name="Countess")
    world.auth.update_profile(session, delete_attribute="PHOTO_URL")
    account = world.account(session)
    assert account["displayName"] == "Countess"
    assert "photoUrl" not in account
    world.auth.update_profile(session, delete_attribute=["DISPLAY_NAME"])
    assert "displayName" not in world.account(session)


def test_password_change_keeps_the_session_valid(world: World) -> None:
    session = world.someone()
    changes: list[UserSession] = []
    session.on_change(changes.append)
    world.auth.change_password(session, "another horse")
    assert changes == [session]
    assert session.user["refreshToken"] == session.refresh_token
    assert world.account(session)["email"] == EMAIL
    assert world.auth.sign_in_with_email_and_password(EMAIL, "another horse")["localId"] == session.uid
    with pytest.raises(InvalidCredentials):
        world.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)


def test_pyrebases_keywords_for_changes_work(world: World) -> None:
    user = world.auth.create_user_with_email_and_password(EMAIL, PASSWORD)
    changed = world.auth.change_password(user["idToken"], password="another horse")
    moved = world.auth.change_email(changed["idToken"], email="b@example.com")
    assert moved["email"] == "b@example.com"
    assert moved["idToken"]


def test_weak_password_error_hides_the_password(world: World) -> None:
    session = world.someone()
    with pytest.raises(WeakPassword) as error:
        world.auth.change_password(session, "abcd5")
    assert "6 characters" in error.value.message
    assert not shows(error.value, session.id_token)


def test_email_change_can_be_reverted(world: World) -> None:
    session = world.someone()
    world.auth.change_email(session, "new@example.com")
    assert world.account(session)["email"] == "new@example.com"
    undo = world.link()
    assert world.auth.check_action_code(undo) == ActionCodeInfo("RECOVER_EMAIL", EMAIL)
    world.auth.apply_action_code(undo)
    assert world.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)["localId"] == session.uid


def test_change_to_existing_email_is_rejected(world: World) -> None:
    world.someone("b@example.com")
    session = world.someone()
    with pytest.raises(EmailExists):
        world.auth.change_email(session, "b@example.com")
    with pytest.raises(EmailExists):
        world.auth.verify_before_change_email(session, "b@example.com")


def test_email_changes_after_verification(world: World) -> None:
    session = world.someone()
    world.auth.verify_before_change_email(session, "new@example.com")
    link = world.link()
    assert world.auth.check_action_code(link) == ActionCodeInfo("VERIFY_AND_CHANGE_EMAIL", "new@example.com", EMAIL)
    world.auth.apply_action_code(link)
    account = world.account(session)
    assert account["email"] == "new@example.com"
    assert account["emailVerified"] is True


def test_verification_email_verifies_address(world: World) -> None:
    session = world.someone()
    assert world.auth.send_email_verification(session, settings="http://localhost/back", locale="fr")["email"] == EMAIL
    link = world.link()
    assert "continueUrl=http%3A%2F%2Flocalhost%2Fback" in link
    assert world.auth.check_action_code(link).operation == "VERIFY_EMAIL"
    world.auth.apply_action_code(link)
    assert world.account(session)["emailVerified"] is True
    with pytest.raises(InvalidActionCode) as error:
        world.auth.apply_action_code(link)
    assert not shows(error.value, link.partition("oobCode=")[2].partition("&")[0])


def test_reset_email_resets_password(world: World) -> None:
    session = world.someone()
    settings = ActionCodeSettings("http://localhost/back", ios_bundle_id="com.example", android_package_name="a.b")
    world.auth.send_password_reset_email(EMAIL, settings=settings)
    link = world.link()
    assert world.auth.check_action_code(link) == ActionCodeInfo("PASSWORD_RESET", EMAIL)
    with pytest.raises(WeakPassword):
        world.auth.confirm_password_reset(link, "short")
    world.auth.verify_password_reset_code(link.partition("oobCode=")[2].partition("&")[0], "another horse")
    assert world.auth.sign_in_with_email_and_password(EMAIL, "another horse")["localId"] == session.uid


def test_password_reset_for_unknown_email(world: World) -> None:
    with pytest.raises(UserNotFound):
        world.auth.send_password_reset_email("nobody@example.com")
    world.set_email_privacy(True)
    before = len(world.mails())
    world.auth.send_password_reset_email("nobody@example.com")
    assert len(world.mails()) == before


def test_deleted_account_signs_out_its_session(world: World) -> None:
    session = world.someone()
    token = session.id_token
    world.auth.delete_user_account(session)
    assert not session.signed_in
    with pytest.raises(SessionExpired):
        session.current_token()
    with pytest.raises(UserNotFound):
        world.auth.get_account_info(token)


def test_invalid_token_error_hides_the_token(world: World) -> None:
    with pytest.raises(SessionExpired) as error:
        world.auth.get_account_info("this-is-no-token")
    assert error.value.code == "INVALID_ID_TOKEN"
    assert not shows(error.value, "this-is-no-token")


def test_unlinking_email_removes_the_password(world: World) -> None:
    session = world.auth.session(world.auth.sign_in_with_custom_token(world.auth.create_custom_token("ada")))
    world.auth.link_with_email_and_password(session, EMAIL, PASSWORD)
    assert world.providers(session) == {"password"}
    world.auth.unlink(session, "password")
    assert world.providers(session) == set()
    assert "email" not in world.account(session)
