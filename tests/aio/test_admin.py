"""User management and server tokens of the async client."""

from __future__ import annotations

import pytest

from firebase_rest import ImportUserRecord, UserNotFound, aio


async def test_accounts_are_managed(config):
    async with aio.initialize_app(config) as app:
        admin = app.auth().admin
        ada = await admin.create_user("ada", email="ada@example.com", password="secret1", phone_number="+15550100")
        assert (await admin.get_user("ada")).email == ada.email
        assert (await admin.get_user_by_email("ada@example.com")).uid == "ada"
        assert (await admin.get_user_by_phone_number("+15550100")).uid == "ada"
        assert len((await admin.get_users(["ada", "bob"])).users) == 1
        assert (await admin.update_user("ada", display_name="Ada")).display_name == "Ada"
        assert (await admin.disable_user("ada")).disabled
        assert not (await admin.enable_user("ada")).disabled
        assert (await admin.set_custom_claims("ada", {"role": "admin"})).custom_claims == {"role": "admin"}
        await admin.revoke_refresh_tokens("ada")
        await admin.import_users([ImportUserRecord("bob", email="bob@example.com")])
        assert [user.uid async for user in admin.list_users(page_size=1)] == ["ada", "bob"]
        await admin.delete_users(["bob"])
        await admin.delete_user("ada")
        with pytest.raises(UserNotFound):
            await admin.get_user("ada")


async def test_tokens_of_servers(config):
    async with aio.initialize_app(config) as app:
        auth = app.auth()
        token = await auth.create_custom_token("ada", {"premium": True})
        user = await auth.sign_in_with_custom_token(token)
        claims = await auth.verify_id_token(user["idToken"], check_revoked=True)
        assert (claims["uid"], claims["premium"]) == ("ada", True)
        cookie = await auth.create_session_cookie(user["idToken"], 3600)
        assert (await auth.verify_session_cookie(cookie))["uid"] == "ada"


async def test_account_is_changed_and_deleted(config, emulator):
    async with aio.initialize_app(config) as app:
        auth = app.auth()
        session = auth.session(await auth.create_user_with_email_and_password("a@b.de", "secret1"))
        await auth.update_profile(session, display_name="Ada")
        await auth.change_password(session, "secret2")
        await auth.change_email(session, "c@d.ef")
        account = (await auth.get_account_info(session))["users"][0]
        assert (account["email"], account["displayName"]) == ("c@d.ef", "Ada")
        await auth.send_email_verification(session)
        await auth.send_password_reset_email("c@d.ef")
        assert len(emulator.auth.mails) >= 2
        await auth.delete_user_account(session)
        assert not session.signed_in
