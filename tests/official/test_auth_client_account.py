"""Accounts and mails with our client, on the official Auth emulator and on ours, test by test."""

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


def test_a_new_password_through_a_session_leaves_the_session_good(world: World) -> None:
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


def test_a_weak_password_is_refused_and_shown_nowhere(world: World) -> None:
    session = world.someone()
    with pytest.raises(WeakPassword) as error:
        world.auth.change_password(session, "abcd5")
    assert "6 characters" in error.value.message
    assert not shows(error.value, session.id_token)


def test_an_address_is_changed_at_once_and_the_change_can_be_taken_back(world: World) -> None:
    session = world.someone()
    world.auth.change_email(session, "new@example.com")
    assert world.account(session)["email"] == "new@example.com"
    undo = world.link()
    assert world.auth.check_action_code(undo) == ActionCodeInfo("RECOVER_EMAIL", EMAIL)
    world.auth.apply_action_code(undo)
    assert world.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)["localId"] == session.uid


def test_an_address_that_somebody_has_is_refused(world: World) -> None:
    world.someone("b@example.com")
    session = world.someone()
    with pytest.raises(EmailExists):
        world.auth.change_email(session, "b@example.com")
    with pytest.raises(EmailExists):
        world.auth.verify_before_change_email(session, "b@example.com")


def test_an_address_is_changed_when_the_new_one_has_been_verified(world: World) -> None:
    session = world.someone()
    world.auth.verify_before_change_email(session, "new@example.com")
    link = world.link()
    assert world.auth.check_action_code(link) == ActionCodeInfo("VERIFY_AND_CHANGE_EMAIL", "new@example.com", EMAIL)
    world.auth.apply_action_code(link)
    account = world.account(session)
    assert account["email"] == "new@example.com"
    assert account["emailVerified"] is True


def test_the_mail_that_verifies_an_address(world: World) -> None:
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


def test_the_mail_that_resets_a_password(world: World) -> None:
    session = world.someone()
    settings = ActionCodeSettings("http://localhost/back", ios_bundle_id="com.example", android_package_name="a.b")
    world.auth.send_password_reset_email(EMAIL, settings=settings)
    link = world.link()
    assert world.auth.check_action_code(link) == ActionCodeInfo("PASSWORD_RESET", EMAIL)
    with pytest.raises(WeakPassword):
        world.auth.confirm_password_reset(link, "short")
    world.auth.verify_password_reset_code(link.partition("oobCode=")[2].partition("&")[0], "another horse")
    assert world.auth.sign_in_with_email_and_password(EMAIL, "another horse")["localId"] == session.uid


def test_an_unknown_address_gets_no_mail_and_only_without_protection_anybody_is_told(world: World) -> None:
    with pytest.raises(UserNotFound):
        world.auth.send_password_reset_email("nobody@example.com")
    world.set_email_privacy(True)
    before = len(world.mails())
    world.auth.send_password_reset_email("nobody@example.com")
    assert len(world.mails()) == before


def test_a_deleted_account_is_gone_and_its_session_signed_out(world: World) -> None:
    session = world.someone()
    token = session.id_token
    world.auth.delete_user_account(session)
    assert not session.signed_in
    with pytest.raises(SessionExpired):
        session.current_token()
    with pytest.raises(UserNotFound):
        world.auth.get_account_info(token)


def test_what_is_no_token_is_refused_and_not_shown(world: World) -> None:
    with pytest.raises(SessionExpired) as error:
        world.auth.get_account_info("this-is-no-token")
    assert error.value.code == "INVALID_ID_TOKEN"
    assert not shows(error.value, "this-is-no-token")


def test_an_address_and_its_password_are_unlinked_together(world: World) -> None:
    session = world.auth.session(world.auth.sign_in_with_custom_token(world.auth.create_custom_token("ada")))
    world.auth.link_with_email_and_password(session, EMAIL, PASSWORD)
    assert world.providers(session) == {"password"}
    world.auth.unlink(session, "password")
    assert world.providers(session) == set()
    assert "email" not in world.account(session)
