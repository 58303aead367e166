"""The async client: the classes of `firebase_rest` on aiohttp, for asyncio programs. `pip install firebase-rest[async]`

    from firebase_rest.aio import initialize_app

    async with initialize_app(config) as app:
        user = await app.auth().sign_in_with_email_and_password(email, password)
        await app.database().child("users/ada").set({"name": "Ada"}, user["idToken"])

Names, arguments, results and errors are those of `firebase_rest`. Methods that send something are coroutine functions;
references and queries are built without `await`.
"""

from firebase_rest.aio.app import AsyncApp, initialize_app

__all__ = ["AsyncApp", "initialize_app"]
