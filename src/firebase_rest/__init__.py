"""A client for Firebase's REST APIs: Auth, Realtime Database and Storage, with pyrebase's method names.

import firebase_rest

firebase = firebase_rest.initialize_app({"apiKey": "...", "databaseURL": "https://example.firebaseio.com"})
user = firebase.auth().sign_in_with_email_and_password("ada@example.com", "correct horse")
firebase.database().child("users").push({"name": "Ada"}, user["idToken"])
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from firebase_rest import errors, types
from firebase_rest._version import __version__
from firebase_rest.errors import *  # every error can be imported from here; `__all__` names the common ones

if TYPE_CHECKING:
    from firebase_rest.app import App, initialize_app
    from firebase_rest.auth.action_codes import ActionCodeInfo, ActionCodeSettings
    from firebase_rest.auth.admin import Admin
    from firebase_rest.auth.client import Auth
    from firebase_rest.auth.mfa import MultiFactor, TotpSecret
    from firebase_rest.auth.providers import AuthUri
    from firebase_rest.auth.session import UserSession
    from firebase_rest.auth.stores import FileStore, KeyringStore
    from firebase_rest.auth.users import ImportUserRecord, ProviderInfo, UserImportHash, UserRecord
    from firebase_rest.database.encoding import SERVER_TIMESTAMP, increment
    from firebase_rest.database.event_stream import EventStream
    from firebase_rest.database.live_query import LiveQuery
    from firebase_rest.database.query import Query
    from firebase_rest.database.reference import Database, Reference
    from firebase_rest.database.snapshot import Item, Snapshot
    from firebase_rest.database.sse import StreamEvent
    from firebase_rest.database.stream import Stream
    from firebase_rest.storage.reference import Storage, StorageReference
    from firebase_rest.storage.transfer import Upload

# Loaded at first use, so that importing the package costs little more than importing requests.
_LAZY = {
    name: module
    for module, names in {
        "app": "App initialize_app",
        "auth.action_codes": "ActionCodeInfo ActionCodeSettings",
        "auth.admin": "Admin",
        "auth.client": "Auth",
        "auth.providers": "AuthUri",
        "auth.mfa": "TotpSecret MultiFactor",
        "auth.session": "UserSession",
        "auth.stores": "FileStore KeyringStore",
        "auth.users": "ImportUserRecord ProviderInfo UserImportHash UserRecord",
        "database.event_stream": "EventStream",
        "database.live_query": "LiveQuery",
        "database.query": "Query",
        "database.reference": "Database Reference",
        "database.snapshot": "Item Snapshot",
        "database.sse": "StreamEvent",
        "database.stream": "Stream",
        "database.encoding": "SERVER_TIMESTAMP increment",
        "storage.reference": "Storage StorageReference",
        "storage.transfer": "Upload",
    }.items()
    for name in names.split()
}

__all__ = [
    "SERVER_TIMESTAMP",
    "ActionCodeInfo",
    "ActionCodeSettings",
    "Admin",
    "ApiError",
    "App",
    "Auth",
    "AuthError",
    "AuthUri",
    "Database",
    "EventStream",
    "FileStore",
    "FirebaseError",
    "ImportUserRecord",
    "InvalidCredentials",
    "Item",
    "KeyringStore",
    "LiveQuery",
    "MfaFactor",
    "MfaRequired",
    "MultiFactor",
    "NetworkError",
    "NotFound",
    "PermissionDenied",
    "PreconditionFailed",
    "ProviderInfo",
    "Query",
    "RateLimited",
    "Reference",
    "Snapshot",
    "StopStream",
    "Storage",
    "StorageReference",
    "Stream",
    "StreamEvent",
    "TokenExpired",
    "TotpSecret",
    "Unauthenticated",
    "Upload",
    "UsageError",
    "UserImportHash",
    "UserRecord",
    "UserSession",
    "__version__",
    "errors",
    "increment",
    "initialize_app",
    "types",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
