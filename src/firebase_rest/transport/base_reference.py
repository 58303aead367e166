"""Base class of database and storage references."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from firebase_rest.transport.credentials import ServiceAccount, TokenSource, UserCredentials, user_credentials
from firebase_rest.transport.requestor import Requestor

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import Session

R = TypeVar("R", bound="BaseReference")


@dataclass(frozen=True, slots=True)
class AppContext:
    """The settings that all references of an App share."""

    account: ServiceAccount | None
    api_key: str | None = field(default=None, repr=False)
    emulator: str | None = None
    project: str | None = None


class BaseReference:
    """An immutable location with the credentials and options of its requests.

    Subclasses set their fields with `_init` and return the arguments of their constructor from `_arguments`.
    """

    __slots__ = ("__weakref__", "_context", "_location", "_requestor")

    _requestor: Requestor
    _location: Any
    _context: AppContext
    _user_credentials: ClassVar[type[UserCredentials]] = UserCredentials

    def _init(self, **fields: object) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def _arguments(self) -> tuple[Any, ...]:
        return self._requestor, self._location, self._context

    def _identity(self) -> tuple[object, ...]:
        return self._location, self._requestor.credentials

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} objects are immutable; cannot set {name!r}.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} objects are immutable; cannot delete {name!r}.")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self._arguments()

    def __copy__(self: R) -> R:
        return self

    def __deepcopy__(self: R, memo: object) -> R:
        return self

    def __eq__(self, other: object) -> bool:
        return self._identity() == other._identity() if isinstance(other, BaseReference) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._identity())

    @property
    def requests(self) -> Session:
        """The `requests.Session` of the App."""
        return self._requestor.transport.session

    @property
    def credentials(self) -> Any:
        """The google-auth credentials of the configured service account, or None."""
        return None if self._context.account is None else self._context.account.google_credentials

    def with_options(
        self: R,
        *,
        timeout: float | tuple[float, float] | None = None,
        deadline: float | None = None,
        retries: int | None = None,
    ) -> R:
        """Return the same reference with other limits.

        Args:
            timeout: Seconds without data, or a pair (seconds to connect, seconds without data).
            deadline: Seconds for the whole call; `math.inf` removes the limit.
            retries: Maximum number of retries.
        """
        return self._with_requestor(
            self._requestor.with_options(self._requestor.options.replace(timeout, deadline, retries))
        )

    def as_user(self: R, token: str | TokenSource) -> R:
        """Return the same reference, whose requests are authenticated as a user.

        Args:
            token: An ID token or a `UserSession`.
        """
        return self._with_requestor(self._requestor.with_credentials(user_credentials(token, self._user_credentials)))

    def _with_requestor(self: R, requestor: Requestor) -> R:
        create = cast("Callable[..., R]", type(self))
        return create(requestor, *self._arguments()[1:])

    def _authenticate(self, token: str | TokenSource | None) -> Requestor:
        """Return the requestor for one call. A `token` replaces the credentials of the reference."""
        if token is None:
            return self._requestor
        return self._requestor.with_credentials(user_credentials(token, self._user_credentials))
