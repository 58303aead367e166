"""Error pages: the status and the message for each error."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import render_template, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, SecurityError

from firebase_rest import errors

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue

logger = logging.getLogger(__name__)

_UNEXPECTED = "Something went wrong. Try again."
_INPUT = "Check your input and try again."
_WRONG_PASSWORD = "The e-mail address or the password is wrong."

_MESSAGES: tuple[tuple[type[errors.FirebaseError], int, str], ...] = (
    (errors.EmailExists, 409, "There is already an account with this e-mail address."),
    (errors.CredentialAlreadyInUse, 409, "This Google account belongs to another user."),
    (errors.InvalidEmail, 400, "Enter a valid e-mail address."),
    (errors.InvalidVerificationCode, 400, "The code is wrong or has expired. Enter the current one."),
    (errors.InvalidActionCode, 400, "This link has expired or was already used. Request a new one."),
    (errors.InvalidCredentials, 401, _WRONG_PASSWORD),
    (errors.UserNotFound, 401, _WRONG_PASSWORD),
    (errors.UserDisabled, 403, "This account is disabled."),
    (errors.SignInCancelled, 400, "The sign-in was cancelled."),
    (
        errors.AccountExistsWithDifferentCredential,
        409,
        "You already have an account with this e-mail address. Sign in with its password.",
    ),
    (errors.OperationNotAllowed, 400, "This sign-in method is not available."),
    (errors.SecondFactorError, 400, "The second factor cannot be used."),
    (errors.TooManyAttempts, 429, "Too many attempts. Wait a few minutes and try again."),
    (errors.RateLimited, 429, "Too many requests. Wait a minute and try again."),
    (errors.RecentLoginRequired, 401, "Sign in again to continue."),
    (errors.Unauthenticated, 401, "Your session has ended. Sign in again."),
    (errors.PermissionDenied, 403, "You do not have access to this."),
    (errors.NotFound, 404, "This does not exist, or it was deleted."),
    (errors.PayloadTooLarge, 413, "The file is too large."),
    (errors.NetworkError, 503, "The service cannot be reached. Try again in a minute."),
    (errors.ServerError, 503, "The service has a problem. Try again in a minute."),
    # The project's configuration is wrong, which a visitor cannot correct.
    (errors.InvalidApiKey, 500, _UNEXPECTED),
    (errors.InsufficientPermission, 500, _UNEXPECTED),
    (errors.ConfigError, 500, _UNEXPECTED),
    (errors.UsageError, 400, _INPUT),
    (errors.AuthError, 400, _INPUT),
)
"""The first class that matches determines status and message."""


def explain(error: errors.FirebaseError) -> tuple[int, str]:
    """Return the status and the message of an error."""
    if isinstance(error, errors.WeakPassword):
        requirement = error.message.partition(" : ")[2]
        return 400, f"Choose a stronger password. {requirement}".strip()
    for error_type, status, message in _MESSAGES:
        if isinstance(error, error_type):
            return status, message
    return 500, _UNEXPECTED


def wants_json() -> bool:
    """Return whether a script of this site has sent the request."""
    return request.accept_mimetypes.best == "application/json"


def _page(status: int, message: str) -> ResponseReturnValue:
    if wants_json():
        return {"error": message}, status
    return render_template("error.html", message=message), status


def _firebase_error(error: errors.FirebaseError) -> ResponseReturnValue:
    status, message = explain(error)
    if status >= 500:
        logger.error("%s %s failed: %s", request.method, request.path, error)
    return _page(status, message)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400 or isinstance(error, SecurityError):
        return error  # a redirect, or a request for an untrusted host, for which no URL can be built
    message = error.description or error.name
    if error.code == 404:
        message = "This page does not exist."
    elif isinstance(error, RequestEntityTooLarge):
        message = "The file is too large. The limit is 20 MB."
    return _page(error.code, message)


def _unexpected_error(error: Exception) -> ResponseReturnValue:
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return _page(500, _UNEXPECTED)


def install(app: Flask) -> None:
    """Show a page, or JSON to scripts, in place of an exception."""
    app.register_error_handler(errors.FirebaseError, _firebase_error)
    app.register_error_handler(HTTPException, _http_error)
    if not (app.debug or app.testing):
        app.register_error_handler(Exception, _unexpected_error)
