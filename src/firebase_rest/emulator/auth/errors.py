"""How the Auth emulator says no: one exception that carries the status and the body."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firebase_rest.transport.wire import Json


class Refusal(Exception):
    """The request is answered with an error. `message` is what `error.message` holds."""

    def __init__(self, code: int, message: str, errors: list[dict[str, Json]], status: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self._errors = errors
        self._status = status

    def body(self) -> dict[str, Json]:
        """The JSON that goes out."""
        error: dict[str, Json] = {"code": self.code, "message": self.message, "errors": list(self._errors)}
        if self._status is not None:
            error["status"] = self._status
        return {"error": error}


class OAuthRefusal(Refusal):
    """In the words of OAuth, as Google's token endpoint writes it."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(400, error, [])
        self._description = description

    def body(self) -> dict[str, Json]:
        """The JSON that goes out."""
        return {"error": self.message, "error_description": self._description}


def bad_request(message: str) -> Refusal:
    """A coded refusal: "EMAIL_EXISTS", "WEAK_PASSWORD : ..."."""
    return Refusal(400, message, [{"message": message, "reason": "invalid", "domain": "global"}])


def expect(condition: object, message: str) -> None:
    """Refuse with `message` unless `condition` is truthy."""
    if not condition:
        raise bad_request(message)


def invalid_payload(problem: str, reason: str = "invalid") -> Refusal:
    """The body is not JSON, or a field has the wrong type. `problem` goes on the fixed beginning of the sentence."""
    message = f"Invalid JSON payload received. {problem}"
    detail: dict[str, Json] = {"message": message, "reason": reason, "domain": "global"}
    return Refusal(400, message, [detail], "INVALID_ARGUMENT")


def invalid_content_type(content_type: str) -> Refusal:
    """A body that is neither JSON nor, where that is allowed, a form."""
    message = f"Invalid content-type: {content_type}"
    return Refusal(400, message, [{"message": message, "reason": "unknown"}])


def unauthenticated() -> Refusal:
    """An Authorization header that is neither "Bearer owner" nor a Google access token."""
    message = (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
    )
    detail: dict[str, Json] = {
        "message": "Invalid Credentials",
        "domain": "global",
        "reason": "authError",
        "location": "Authorization",
        "locationType": "header",
    }
    return Refusal(401, message, [detail], "UNAUTHENTICATED")


def key_missing() -> Refusal:
    """Neither an API key nor an administrator's token."""
    message = "The request is missing a valid API key."
    detail: dict[str, Json] = {"message": message, "reason": "forbidden", "domain": "global"}
    return Refusal(403, message, [detail], "PERMISSION_DENIED")


def not_found() -> Refusal:
    """No such method in the API."""
    return Refusal(404, "Not Found", [{"message": "Not Found", "reason": "notFound"}], "NOT_FOUND")


def not_implemented(message: str) -> Refusal:
    """Firebase has it, this emulator has not."""
    return Refusal(501, message, [{"message": message, "reason": "unimplemented"}], "NOT_IMPLEMENTED")
