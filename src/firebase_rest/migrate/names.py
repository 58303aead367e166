"""Tables: the names of pyrebase, of its forks, and what became of them."""

from __future__ import annotations

QUERY_BUILDERS = {
    "order_by_key", "order_by_value", "order_by_child", "start_at", "end_at", "equal_to", "limit_to_first",
    "limit_to_last", "shallow", "order_by_priority", "start_after", "end_before",
}  # fmt: skip
ORDERS = {"order_by_key", "order_by_value", "order_by_child", "order_by_priority"}
ORDER_KEYWORDS = ("$key", "$value", "$priority")
BOUNDS = {"start_at", "start_after", "end_at", "end_before", "equal_to"}
LIMITS = {"limit_to_first", "limit_to_last"}
BUILDERS = {"database": {"child", *QUERY_BUILDERS}, "storage": {"child"}}

READS = {"get", "stream", "get_etag"}
WRITES = {"set", "push", "update", "remove", "conditional_set", "conditional_remove"}
ON_REFERENCES_ONLY = {*WRITES, "get_etag", "generate_key", "sort", "transaction", "exists"}
CALLS = {"database": {*READS, *WRITES}, "storage": {"put", "download", "get_url", "delete", "list_files"}}
"""What goes to the place that a reference means."""
CLEARING = {"database": CALLS["database"], "storage": {"put", "download", "get_url"}}
"""What cleared the path of pyrebase's shared object; in firebase-rest-api `delete` did so too."""

MODULE_NAMES = {"initialize_app", "pyrebase", "RootWriteWarning"}
"""What `import pyrebase` gives."""
CLASSES = {
    "Firebase": "app",
    "Auth": "auth",
    "Database": "database",
    "Storage": "storage",
    "Stream": "stream",
    "PyreResponse": "snapshot",
    "Pyre": "item",
}
INNER_NAMES = {
    *CLASSES, "HTTPAdapter", "HTTPError", "OrderedDict", "RootWriteWarning", "Session", "datetime", "initialize_app",
    "json", "math", "quote", "raise_detailed_error", "randrange", "requests", "socket", "storage", "threading", "time",
    "urlencode", "uuid4",
}  # fmt: skip
"""What `pyrebase.pyrebase` gives."""

INSTEAD_OF_NAMES = {
    "ClosableSSEClient": "use db.child(...).stream(), which reconnects and closes by itself",
    "SSEClient": "use db.child(...).stream(), or `import sseclient` for other servers",
    "KeepAuthSession": "leave it out: streams keep their credential on Firebase's redirects",
    "convert_to_pyre": "use the answer of get(): val(), each(), iteration",
    "convert_list_to_pyre": "use the answer of get(): val(), each(), iteration",
    "ServiceAccountCredentials": "pass the key file as 'serviceAccount' in the configuration, or use google.oauth2",
    "jwt": "use auth.verify_id_token(token), or `import jwt`",
    "exceptions": "write pyrebase.pyrebase.HTTPError, or requests.exceptions",
}

CONSTRUCTORS = {
    "app": "pyrebase.initialize_app(config)",
    "auth": "firebase.auth()",
    "database": "firebase.database()",
    "storage": "firebase.storage()",
    "stream": "db.child(...).stream(handler)",
    "snapshot": "db.child(...).get(), or pass plain dicts and lists around",
    "item": "the items of db.child(...).get(), or pass (key, value) pairs around",
}

CONSTRUCTIBLE = {"app", "auth", "snapshot", "item"}
"""What the drop-in makes as pyrebase did."""

_TOKENS = "pass `token` to the call: get(token), set(data, token); requests are signed inside"
MISSING = {
    "database": {
        "build_query": "write the query as a chain: db.child(...).order_by_child(...).get()",
        "build_request_url": "use ref.database_url + ref.path + '.json', or the calls themselves",
        "build_headers": _TOKENS,
        "check_token": _TOKENS,
        "last_push_time": "use db.generate_key(), whose keys rise and never repeat",
        "last_rand_chars": "use db.generate_key(), whose keys rise and never repeat",
    },
    "stream": {
        "sse": "use stream.close(), stream.is_alive(), stream.state",
        "url": "keep the reference: ref.database_url + ref.path",
        "build_headers": _TOKENS,
        "make_session": "pass initialize_app(config, session=...) a requests.Session of your own",
        "start": "call stream() again: it starts at once, and reconnects by itself",
        "start_stream": "call stream(..., is_async=False) to run it in this thread",
        "stream_handler": "keep the handler that you passed to stream()",
        "stream_id": "keep the stream_id that you passed; it is in every message",
    },
    "snapshot": {"query_key": "write key()"},
    "credentials": {
        "get_access_token": "call credentials.refresh(google.auth.transport.requests.Request()), then use .token",
        "access_token": "write credentials.token",
        "access_token_expired": "write credentials.expired",
        "token_expiry": "write credentials.expiry",
        "authorize": "use google.auth.transport.requests.AuthorizedSession(credentials)",
        "create_delegated": "write credentials.with_subject(...)",
        "create_scoped": "write credentials.with_scopes(...)",
    },
}
"""Attributes of pyrebase's objects that are not there, by kind; the drop-in's answers have query_key again."""

ASSIGNED = {
    "database": {"path", "build_query", "database_url", "requests", "api_key", "credentials"},
    "storage": {"path", "storage_bucket", "requests", "credentials", "bucket"},
    "app": {"requests", "api_key", "auth_domain", "database_url", "storage_bucket", "credentials"},
    "auth": {"requests", "api_key", "credentials"},
}
"""Attributes that could be assigned, and cannot any more."""
INSTEAD_OF_ASSIGNING = {
    "path": "write db.child(...) where the place is meant; there is nothing to reset",
    "build_query": "write the query as a chain; there is nothing to reset",
    "requests": "pass the session: initialize_app(config, session=session), or change the one that is there",
    "credentials": "pass them: initialize_app(config, credentials=...)",
    "bucket": "pass the name: firebase.storage('bucket-name')",
    "storage_bucket": "pass the name: firebase.storage('bucket-name')",
    "database_url": "pass the URL: firebase.database('https://...')",
    "api_key": "make another app: initialize_app({'apiKey': ...})",
    "auth_domain": "make another app: initialize_app({'authDomain': ...})",
}

LISTED_FILE = {"name", "reference", "download_to_filename", "download_as_bytes", "delete"}
"""What the objects of list_files() have; everything else is google-cloud-storage's."""
INSTEAD_OF_BLOB = {
    "generate_signed_url": "file.reference.signed_url(seconds)",
    "public_url": "file.reference.get_url()",
    "media_link": "file.reference.get_download_url()",
    "download_as_string": "file.download_as_bytes()",
    "download_as_text": "file.download_as_bytes().decode()",
    "download_to_file": "file.reference.download(open_file)",
    "size": "int(file.reference.get_metadata()['size'])",
    "content_type": "file.reference.get_metadata()['contentType']",
    "updated": "file.reference.get_metadata()['updated']",
    "time_created": "file.reference.get_metadata()['timeCreated']",
    "md5_hash": "file.reference.get_metadata()['md5Hash']",
    "metadata": "file.reference.get_metadata().get('metadata')",
    "path": "file.reference.full_path",
}

FORKS = {"firebase": "firebase-rest-api", "empyrebase": "empyrebase"}
"""Import names of the forks."""

_IDP = "auth.sign_in_with_google(...) or auth.sign_in_with_idp(provider_id, ...)"
_URI = "auth.auth_uri(provider_id, continue_url), then auth.finish_sign_in(...)"
FORK_CALLS = {
    ("database", "get_etag"): "get_etag()['ETag'] for the tag alone: it gives a dict with ETag and value",
    ("app", "firestore"): "google-cloud-firestore: firebase-rest has no Firestore",
    ("auth", "authenticate_login_with_google"): "auth.auth_uri('google.com', continue_url)",
    ("auth", "authenticate_login_with_facebook"): "auth.auth_uri('facebook.com', continue_url)",
    ("auth", "create_authentication_uri"): _URI,
    ("auth", "sign_in_with_oauth_credential"): "auth.finish_sign_in(auth_uri, callback_url)",
    ("auth", "set_custom_user_claims"): "auth.admin.set_custom_claims(uid, claims)",
    ("auth", "get_google_oauth_token"): "auth.sign_in_with_google(...), which opens the browser and signs in",
    ("auth", "sign_in_with_oauth"): _IDP,
}
"""Methods of the forks that have another name here."""
FORK_ARGUMENTS = {
    ("app", "auth", "client_secret"): "pass the client to auth.sign_in_with_google(...) or auth.auth_uri(...)",
    ("storage", "get_url", "expiration_hour"): "storage.child(...).signed_url(hours * 3600)",
    ("database", "stream", "token_refreshable"): "pass a session that renews itself: token=auth.session(user)",
    ("database", "stream", "token_refresher"): "pass a session that renews itself: token=auth.session(user)",
}
"""Keywords of the forks that are not there: kind, method, keyword."""
PYTHON_FIREBASE_NAMES = {"firebase", "FirebaseApplication", "FirebaseAuthentication"}
INITIALIZE_KEYWORDS = {
    "session", "timeout", "deadline", "retries", "headers", "credentials", "app_check", "locale", "config",
}  # fmt: skip

PYTHON_FIREBASE = {
    "get": "db.child(url, name).get().val()",
    "post": "db.child(url).push(data)",
    "put": "db.child(url, name).set(data)",
    "patch": "db.child(url).update(data)",
    "delete": "db.child(url, name).remove()",
}
"""Methods of python-firebase's FirebaseApplication; each has a twin named `..._async` with a callback."""

DATABASE_NAMES = {"db", "database", "ref", "firebase_db", "fb_db", "fdb", "rtdb", "realtime_db"}
PARAMETER_KINDS = {**dict.fromkeys(DATABASE_NAMES, "database"), "storage": "storage", "auth": "auth"}
"""What a parameter of this name is in a file that uses pyrebase, if nothing says otherwise."""
