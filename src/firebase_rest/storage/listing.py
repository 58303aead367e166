"""Lists: what is in a folder, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING

from firebase_rest.errors import InvalidResponse, UsageError
from firebase_rest.storage import _arguments, protocol
from firebase_rest.storage._base import StorageBase, Token

if TYPE_CHECKING:
    from firebase_rest.storage.reference import Prefix, Storage, StorageReference


@dataclass(frozen=True, slots=True)
class ListPage:
    """A part of a list. `next_page_token` gets the next one; None at the end. A page may be empty and not the last."""

    items: tuple[StorageReference, ...]
    prefixes: tuple[Prefix, ...]
    next_page_token: str | None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that `list_files` found. `name` is its whole path."""

    name: str
    reference: StorageReference

    def download_to_filename(self, filename: str | PathLike[str]) -> None:
        """Download to a path; as `StorageReference.download`."""
        self.reference.download(filename)

    def download_as_bytes(self) -> bytes:
        """The file's bytes."""
        return self.reference.get_bytes()

    def delete(self) -> None:
        """Delete the file."""
        self.reference.delete()


class Listed(StorageBase):
    """What leads from a place to others: up, down, and by lists."""

    __slots__ = ()

    @property
    def is_prefix(self) -> bool:
        """Whether a list found this as a folder."""
        return False

    @property
    def root(self) -> Storage:
        """The bucket."""
        from firebase_rest.storage.reference import Storage

        return Storage(self._requestor, self._location.at(""), self._home)

    @property
    def parent(self) -> StorageReference | None:
        """The folder above; None for the bucket."""
        from firebase_rest.storage.reference import StorageReference

        parent = self._location.parent
        return None if parent is None else StorageReference(self._requestor, parent, self._home)

    def child(self, *path: object) -> StorageReference:
        """The place below. Each argument is made text; slashes separate; text is data, so nothing is decoded.

        Raises `UsageError` for what cannot be a name: None, `a//b`, line breaks, more than 1,024 bytes.
        """
        from firebase_rest.storage.reference import StorageReference

        return StorageReference(self._requestor, self._location.child(*path), self._home)

    def _below(self, name: str) -> StorageReference:
        return self.child(name)

    def _named(self, name: str, token: Token) -> StorageReference:
        from firebase_rest.storage.reference import StorageReference

        return StorageReference(self._authenticate(token), self._location.at(name), self._home)

    def _folder(self, name: str, token: Token) -> Prefix:
        from firebase_rest.storage.reference import Prefix

        return Prefix(self._authenticate(token), self._location.at(name.rstrip("/")), self._home)

    # --- lists ------------------------------------------------------------------------------------------------------

    def list_page(
        self,
        prefix: str = "",
        *,
        delimiter: str | None = "/",
        page_size: int | None = None,
        page_token: str | None = None,
        token: Token = None,
    ) -> ListPage:
        """One page of `list`, of at most `page_size` (1 to 1000) entries."""
        start = self._start(prefix)
        flow = protocol.list_page(
            self._location,
            _queried(start),
            recursive=_is_recursive(delimiter),
            page_token=None if page_token is None else protocol.validate_str("page_token", page_token),
            page_size=None
            if page_size is None
            else _arguments.validate_int("page_size", page_size, 1, protocol.MAX_PAGE),
        )
        page = self._authenticate(token).run(flow)
        return ListPage(
            tuple(self._named(name, token) for name in page.items if name.startswith(start)),
            tuple(self._folder(name, token) for name in page.prefixes if name.startswith(start)),
            page.next_page_token,
        )

    def list(
        self,
        prefix: str = "",
        *,
        delimiter: str | None = "/",
        page_size: int | None = None,
        token: Token = None,
    ) -> Iterator[StorageReference]:
        """The files and folders in this folder whose names begin with `prefix`; folders have `is_prefix`.

        With `delimiter=None` every file below, however deep. Pages of `page_size` (1 to 1000) are fetched as the
        iterator goes on. https://firebase.google.com/docs/storage/web/list-files
        """
        start = self._start(prefix)
        recursive = _is_recursive(delimiter)
        size = None if page_size is None else _arguments.validate_int("page_size", page_size, 1, protocol.MAX_PAGE)
        for page in self._pages(start, token, recursive=recursive, page_size=size):
            for name in page.prefixes:
                if name.startswith(start):
                    yield self._folder(name, token)
            for name in page.items:
                if name.startswith(start):
                    yield self._named(name, token)

    def list_files(
        self, prefix: str = "", token: Token = None, *, page_size: int | None = None
    ) -> Iterator[StoredFile]:
        """Every file below this place whose path from here begins with `prefix`, however deep."""
        for reference in self.list(prefix, delimiter=None, page_size=page_size, token=token):
            yield StoredFile(reference.full_path, reference)

    def _names(self, folder: str, token: Token) -> Iterator[str]:
        """The names of everything in a folder. Raises `InvalidResponse` where the list holds others."""
        for page in self._pages(folder, token, recursive=True, page_size=None):
            for name in page.items:
                if not name.startswith(folder):
                    raise InvalidResponse(
                        f"The list names {name!r}, which is not below {folder!r}; nothing was deleted."
                    )
                yield name

    def _pages(
        self, start: str, token: Token, *, recursive: bool, page_size: int | None
    ) -> Iterator[protocol.ObjectPage]:
        return protocol.deduplicate_pages(self._raw_pages(start, token, recursive=recursive, page_size=page_size))

    def _raw_pages(
        self, start: str, token: Token, *, recursive: bool, page_size: int | None
    ) -> Iterator[protocol.ObjectPage]:
        channel, page_token = self._authenticate(token), None
        while True:
            flow = protocol.list_page(
                self._location, _queried(start), recursive=recursive, page_token=page_token, page_size=page_size
            )
            page = channel.run(flow)
            yield page
            page_token = page.next_page_token
            if page_token is None:
                return

    def _start(self, prefix: object) -> str:
        """What the names begin with."""
        if prefix is None:
            prefix = ""
        return self._location.folder + protocol.validate_str("prefix", prefix).lstrip("/")


def _queried(start: str) -> str:
    """What the server is asked for: it knows only whole folders."""
    return start[: start.rfind("/") + 1]


def _is_recursive(delimiter: object) -> bool:
    if delimiter not in ("/", "", None):
        raise UsageError(f"delimiter must be '/' or None (everything below), got {protocol.shown(delimiter)}.")
    return delimiter != "/"
