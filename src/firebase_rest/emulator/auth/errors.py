"""Error responses of Auth."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firebase_rest.transport.wire import Json


class AuthHTTPError(Exception):
    """Raised to respond with an HTTP error. `message` is Firebase's error code, which a text may follow."""

    def __init__(self, code: int, message: str, errors: list[dict[str, Json]], status: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self._errors = errors
        self._status = status

    def body(self) -> dict[str, Json]:
        """Return the JSON body of the response."""
        error: dict[str, Json] = {"code": self.code, "message": self.message, "errors": list(self._errors)}
        if self._status is not None:
            error["status"] = self._status
        return {"error": error}


class OAuthHTTPError(AuthHTTPError):
    """Raised to respond with an error in the format of OAuth, as Google's token endpoint does."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(400, error, [])
        self._description = description

    def body(self) -> dict[str, Json]:
        """Return the JSON body of the response."""
        return {"error": self.message, "error_description": self._description}


def bad_request(message: str) -> AuthHTTPError:
    """Return a 400 error with a code such as "EMAIL_EXISTS" or "WEAK_PASSWORD : ..."."""
    return AuthHTTPError(400, message, [_detail(message, "invalid")])


def validate(condition: object, message: str) -> None:
    """Raise `AuthHTTPError` 400 with `message` if `condition` is false."""
    if not condition:
        raise bad_request(message)


def invalid_payload(problem: str, reason: str = "invalid") -> AuthHTTPError:
    """Return the error for invalid JSON or a field of the wrong type."""
    message = f"Invalid JSON payload received. {problem}"
    return AuthHTTPError(400, message, [_detail(message, reason)], "INVALID_ARGUMENT")


def invalid_content_type(content_type: str) -> AuthHTTPError:
    """Return the error for an unsupported Content-Type."""
    message = f"Invalid content-type: {content_type}"
    return AuthHTTPError(400, message, [{"message": message, "reason": "unknown"}])


def unauthenticated() -> AuthHTTPError:
    """Return the error for an Authorization header that is neither "Bearer owner" nor a Google access token."""
    message = (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
    )
    detail = _detail("Invalid Credentials", "authError", location="Authorization", locationType="header")
    return AuthHTTPError(401, message, [detail], "UNAUTHENTICATED")


def key_missing() -> AuthHTTPError:
    """Return the error for a request with neither an API key nor the token of an administrator."""
    message = "The request is missing a valid API key."
    return AuthHTTPError(403, message, [_detail(message, "forbidden")], "PERMISSION_DENIED")


def not_found() -> AuthHTTPError:
    """Return the error for an unknown path."""
    return AuthHTTPError(404, "Not Found", [{"message": "Not Found", "reason": "notFound"}], "NOT_FOUND")


def not_implemented(message: str) -> AuthHTTPError:
    """Return the error for a feature that this emulator does not support."""
    return AuthHTTPError(501, message, [{"message": message, "reason": "unimplemented"}], "NOT_IMPLEMENTED")


def _detail(message: str, reason: str, **more: Json) -> dict[str, Json]:
    return {"message": message, "domain": "global", "reason": reason, **more}
