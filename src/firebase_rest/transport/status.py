"""The error class of an HTTP status."""

from __future__ import annotations

from firebase_rest import errors

_CLASSES: dict[int, type[errors.ApiError]] = {
    401: errors.Unauthenticated,
    402: errors.QuotaExceeded,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    412: errors.PreconditionFailed,
    413: errors.PayloadTooLarge,
    423: errors.QuotaExceeded,
    429: errors.RateLimited,
}


def class_of_status(status: int) -> type[errors.ApiError]:
    """Return the class of an error response of which only the status is known."""
    return errors.ServerError if status >= 500 else _CLASSES.get(status, errors.ApiError)
