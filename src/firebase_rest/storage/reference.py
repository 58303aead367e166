"""`Storage` and `StorageReference`: a bucket, and the files and folders in it.

https://firebase.google.com/docs/storage
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from io import BufferedReader
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, overload

from firebase_rest.errors import ConfigError, InvalidResponse, UsageError
from firebase_rest.storage import arguments, listing, protocol, signed_url, transfer
from firebase_rest.storage.base import StorageBase, Token
from firebase_rest.storage.batch import LocalFolder, Result, run_batch
from firebase_rest.storage.download import READ_SIZE, ByteRange
from firebase_rest.storage.google_bucket import google_bucket
from firebase_rest.storage.location import parse_url
from firebase_rest.storage.progress import Progress
from firebase_rest.storage.source import Uploadable, name_of, validate_path
from firebase_rest.storage.target import Downloadable
from firebase_rest.storage.upload import UploadRequest
from firebase_rest.transport.arguments import (
    accepts_keywords_of,
    describe,
    path_text,
    validate_int,
    validate_keywords,
    validate_list,
    validate_str,
    validate_str_dict,
)
from firebase_rest.transport.credentials import validate_token
from firebase_rest.transport.google_auth import sign_blob
from firebase_rest.transport.requestor import Requestor
from firebase_rest.types import ObjectMetadata, UploadOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack

MAX_WORKERS = 64


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a list. `next_page_token` is `None` on the last page; other pages may be empty."""

    items: tuple[StorageReference, ...]
    prefixes: tuple[Prefix, ...]
    next_page_token: str | None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that `list_files` returned. `name` is its path in the bucket."""

    name: str
    reference: StorageReference

    def download_to_filename(self, filename: str | PathLike[str]) -> None:
        """Download the file, as `StorageReference.download` does."""
        self.reference.download(filename)

    def download_as_bytes(self) -> bytes:
        """Return the file's bytes."""
        return self.reference.get_bytes()

    def delete(self) -> None:
        """Delete the file."""
        self.reference.delete()


class FolderOperations(StorageBase):
    """Methods that return references to other locations, and lists."""

    __slots__ = ()

    @property
    def is_prefix(self) -> bool:
        """Whether this is a folder that `list` returned."""
        return False

    @property
    def root(self) -> Storage:
        """The bucket."""
        return Storage(self._requestor, self._location.at(""), self._context)

    @property
    def parent(self) -> StorageReference | None:
        """The folder above, or None for the bucket."""
        parent = self._location.parent
        return None if parent is None else StorageReference(self._requestor, parent, self._context)

    def child(self, *path: object) -> StorageReference:
        """Return a reference to a file or folder in this folder.

        Args:
            path: Segments of the path, which are converted to text and joined by slashes. Text is not decoded.

        Raises:
            UsageError: The path is None, bytes or an invalid name: with `//`, a line break, or more than 1024 bytes.
        """
        return StorageReference(self._requestor, self._location.child(*path), self._context)

    def list_page(
        self,
        prefix: str = "",
        *,
        delimiter: str | None = "/",
        page_size: int | None = None,
        page_token: str | None = None,
        token: Token = None,
    ) -> ListPage:
        """Return one page of `list`.

        Args:
            prefix: The beginning of the names in this folder.
            delimiter: "/" for the files and folders in this folder, None for all files in it and in its subfolders.
            page_size: Maximum number of entries, from 1 to 1000.
            page_token: The `next_page_token` of the previous page.
            token: An ID token or a `UserSession`.

        https://firebase.google.com/docs/storage/web/list-files
        """
        page_token = arguments.validate_page_token(page_token)
        requestor, start = self._authenticate(token), self._list_start(prefix)
        page = self._page_fetcher(requestor, start, delimiter, page_size)(page_token).starting_with(start)
        items = tuple(self._file(name, requestor) for name in page.items)
        return ListPage(items, tuple(self._folder(name, requestor) for name in page.prefixes), page.next_page_token)

    def list(
        self,
        prefix: str = "",
        *,
        delimiter: str | None = "/",
        page_size: int | None = None,
        token: Token = None,
    ) -> Iterator[StorageReference]:
        """Return the files and folders in this folder. Folders have `is_prefix`.

        The iterator requests a page when it needs one. The arguments are those of `list_page`.

        https://firebase.google.com/docs/storage/web/list-files
        """
        requestor, start = self._authenticate(token), self._list_start(prefix)
        pages = listing.iter_pages(self._page_fetcher(requestor, start, delimiter, page_size))

        def references() -> Iterator[StorageReference]:
            for page in pages:
                matching = page.starting_with(start)
                yield from (self._folder(name, requestor) for name in matching.prefixes)
                yield from (self._file(name, requestor) for name in matching.items)

        return references()

    def list_files(
        self, prefix: str = "", token: Token = None, *, page_size: int | None = None
    ) -> Iterator[StoredFile]:
        """Return all files in this folder and its subfolders. pyrebase's method; see also `list`.

        Args:
            prefix: The beginning of the paths, relative to this folder.
            token: An ID token or a `UserSession`.
            page_size: Maximum number of files for each request, from 1 to 1000.

        Returns:
            An iterator, which requests a page when it needs one.
        """
        files = self.list(prefix, delimiter=None, page_size=page_size, token=token)
        return (StoredFile(reference.full_path, reference) for reference in files)

    def _file(self, name: str, requestor: Requestor) -> StorageReference:
        return StorageReference(requestor, self._location.at(name), self._context)

    def _folder(self, name: str, requestor: Requestor) -> Prefix:
        return Prefix(requestor, self._location.at(name.rstrip("/")), self._context)

    def _list_start(self, prefix: str | None) -> str:
        """Return the beginning of the listed names."""
        return self._location.folder + validate_str("prefix", "" if prefix is None else prefix).lstrip("/")

    def _page_fetcher(
        self, requestor: Requestor, start: str, delimiter: object, page_size: object
    ) -> Callable[[str | None], listing.ObjectPage]:
        recursive = arguments.is_recursive(delimiter)
        size = None if page_size is None else validate_int("page_size", page_size, 1, listing.MAX_PAGE_SIZE)
        return lambda page_token: requestor.run(
            listing.list_page(self._location, start, recursive=recursive, page_token=page_token, page_size=size)
        )


class FileOperations(FolderOperations):
    """Methods that upload, download, delete and link the file at this location, and the files below it."""

    __slots__ = ()

    # --- uploads ----------------------------------------------------------------------------------------------------

    @accepts_keywords_of(UploadOptions)
    def put(
        self,
        file: Uploadable,
        token: Token = None,
        content_type: str | None = None,
        **options: Unpack[UploadOptions],
    ) -> ObjectMetadata:
        """Upload a file.

        Args:
            file: A path, bytes, a file opened with "rb", the upload of a web framework, or an iterator of bytes. A
                file object is read from its position on; a file at its end is rewound.
            token: An ID token or a `UserSession`.
            content_type: The MIME type. By default it is guessed from the names of the stored and the local file.
            metadata: Custom metadata, a dict of strings.
            cache_control: The Cache-Control header of downloads.
            content_disposition: The Content-Disposition header of downloads.
            content_encoding: The Content-Encoding header of downloads.
            content_language: The Content-Language header of downloads.
            progress: A function of (bytes done, total bytes or None), or True for a progress bar.
            chunk_size: Number of bytes of each request: a multiple of 262144 (256 KiB).
            if_generation_match: Store the file only if the stored file has this generation; 0: only if none exists.

        Returns:
            The file's metadata.

        Raises:
            FileNotFoundError: The local file does not exist.
            PreconditionFailed: The stored file has another generation.
            PermissionDenied: The security rules deny access.
            ChecksumMismatch: The stored bytes differ from the bytes that were read.
            UsageError: An argument is invalid, or the local file changed during the upload.

        https://firebase.google.com/docs/storage/web/upload-files
        """
        return self.upload(file, token, content_type, **options).run()

    @accepts_keywords_of(UploadOptions)
    def upload(
        self,
        file: Uploadable,
        token: Token = None,
        content_type: str | None = None,
        *,
        state: str | None = None,
        **options: Unpack[UploadOptions],
    ) -> transfer.Upload:
        """Return an `Upload`, which starts with `run()` and can be observed, cancelled and resumed.

        The arguments are those of `put`. In addition, `state` is the `Upload.state` of an upload to resume.
        """
        validate_keywords(options, UploadOptions)
        requestor = self._authenticate(token)
        mime_type = arguments.choose_content_type(content_type, self._location.name, name_of(file))
        request = UploadRequest(
            self._location,
            arguments.upload_fields(mime_type, options),
            arguments.validate_chunk_size(options.get("chunk_size")),
            requestor.options.retries,
            arguments.validate_generation(options.get("if_generation_match")),
        )
        return transfer.Upload(requestor, request, file, options.get("progress"), state)

    def upload_many(
        self,
        files: Mapping[str, Uploadable] | Iterable[tuple[str, Uploadable]],
        token: Token = None,
        *,
        workers: int = 4,
        progress: Progress = None,
    ) -> list[Result]:
        """Upload many files.

        Args:
            files: Files, as for `put`, by their path below this folder.
            token: An ID token or a `UserSession`.
            workers: Maximum number of files at a time, from 1 to 64.
            progress: As for `put`, but counts files.

        Returns:
            A result for each file, in order. An error of one file does not affect the others.
        """
        jobs = arguments.validate_files(files)
        folder = self if token is None else self.as_user(token)

        def work(name: str, file: Uploadable) -> ObjectMetadata:
            return folder.child(name).put(file)

        return run_batch(jobs, work, validate_int("workers", workers, 1, MAX_WORKERS), progress, "upload")

    # --- downloads --------------------------------------------------------------------------------------------------

    @overload
    def download(
        self, filename: Downloadable, /, token: Token = None, *, path: str | None = None, progress: Progress = None
    ) -> None: ...

    @overload
    def download(
        self, path: str | None, filename: Downloadable, /, token: Token = None, *, progress: Progress = None
    ) -> None: ...

    @overload
    def download(
        self, path: str | None = None, *, filename: Downloadable, token: Token = None, progress: Progress = None
    ) -> None: ...

    def download(self, *args: Any, progress: Progress = None, **kwargs: Any) -> None:
        """Download the file to a path or into a file opened with "wb": `reference.download("local.png")`.

        The local file is replaced when the download is complete and its checksum is verified. On an error it stays as
        it was.

        Args:
            *args: `filename` (a local path, or a file opened with "wb") and `token` (an ID token or a
                `UserSession`). As in pyrebase, the first argument may be the path in the bucket:
                `storage.download("a.png", "local.png")`. A reference that has a path ignores it.
            progress: As for `put`.
            **kwargs: `path`, `filename` and `token`.

        Raises:
            NotFound: The file does not exist.
            PermissionDenied: The security rules deny access.
            ChecksumMismatch: The received bytes are corrupt.
            InvalidResponse: The response was truncated.

        https://firebase.google.com/docs/storage/web/download-files
        """
        path, target, token = arguments.parse_download_args(args, kwargs)
        location = self._location if self._location.name or path is None else self._location.child(path)
        transfer.download(self._authenticate(token), location, target, progress)

    def get_bytes(
        self, token: Token = None, *, max_size: int | None = None, start: int = 0, end: int | None = None
    ) -> bytes:
        """Return the file's bytes.

        Args:
            token: An ID token or a `UserSession`.
            max_size: Maximum number of bytes; by default the `max_response_size` of the App (256 MB).
            start: The index of the first byte.
            end: The index after the last byte; by default the end of the file.

        Raises:
            NotFound: The file does not exist.
            PermissionDenied: The security rules deny access.
            PayloadTooLarge: The file has more than `max_size` bytes.
            ChecksumMismatch: The received bytes are corrupt.

        https://firebase.google.com/docs/storage/web/download-files
        """
        byte_range = ByteRange(*arguments.validate_range(start, end))
        requestor = self._authenticate(token)
        limit = requestor.transport.max_response_size if max_size is None else max_size
        limit = validate_int("max_size", limit, 0, arguments.MAX_BYTES)
        return transfer.get_bytes(requestor, self._location, byte_range, limit)

    def open_stream(self, token: Token = None, *, start: int = 0, end: int | None = None) -> BufferedReader:
        """Return the file as an open binary file, which downloads its bytes while it is read. Close it after use.

        Args:
            token: An ID token or a `UserSession`.
            start: The index of the first byte.
            end: The index after the last byte; by default the end of the file.

        Raises:
            NotFound: The file does not exist.
            PermissionDenied: The security rules deny access.
        """
        byte_range = ByteRange(*arguments.validate_range(start, end))
        stream = transfer.ObjectStream(self._authenticate(token), self._location, byte_range)
        return BufferedReader(stream, READ_SIZE)

    def download_many(
        self,
        files: Mapping[str, Downloadable] | Iterable[str],
        folder: str | PathLike[str] | None = None,
        token: Token = None,
        *,
        workers: int = 4,
        progress: Progress = None,
    ) -> list[Result]:
        """Download many files.

        Args:
            files: Local files by their path below this folder, or only the paths.
            folder: The local folder for the files, if `files` contains only paths.
            token: An ID token or a `UserSession`.
            workers: Maximum number of files at a time, from 1 to 64.
            progress: As for `put`, but counts files.

        Returns:
            A result for each file, in order. An error of one file does not affect the others.
        """
        if isinstance(files, Mapping) == (folder is not None):
            raise UsageError(
                "files of download_many() must be a dict of names and local files, or a list of names with folder=."
            )
        if isinstance(files, Mapping):
            jobs = arguments.validate_files(cast(object, files))
        else:
            jobs = [(name, None) for name in validate_list("files", files)]
        threads = validate_int("workers", workers, 1, MAX_WORKERS)
        requestor = self._authenticate(token)

        with LocalFolder(Path("." if folder is None else validate_path("folder", folder))) as local_folder:

            def work(name: str, target: Downloadable) -> None:
                location = self._location.child(name)
                local = target if folder is None else local_folder.create_path(path_text(name))
                transfer.download(requestor, location, local)

            return run_batch(jobs, work, threads, progress, "download")

    # --- deletion ---------------------------------------------------------------------------------------------------

    def delete(self, name: Token = None, token: Token = None) -> None:
        """Delete a file.

        Args:
            name: None for the file of this reference, or, as in pyrebase, the path of another file in the bucket.
            token: An ID token or a `UserSession`.

        Raises:
            NotFound: The file does not exist.
            PermissionDenied: The security rules deny access.

        https://firebase.google.com/docs/storage/web/delete-files
        """
        if token is None and arguments.is_id_token(name):
            name, token = None, name
        location = self._location if name is None else self._location.at("").child(name)
        self._authenticate(token).run(protocol.delete(location))

    def delete_all(self, prefix: str = "", token: Token = None, *, confirm: object, workers: int = 8) -> int:
        """Delete all files in the folder `prefix` below this one.

        Args:
            prefix: The path of the folder, relative to this one.
            token: An ID token or a `UserSession`.
            confirm: Pass the whole path of the folder again as confirmation, or True. For a bucket pass its name.
            workers: Maximum number of files at a time, from 1 to 64.

        Returns:
            The number of deleted files.

        Raises:
            ApiError: The first error of a file. Other files may have been deleted.
            InvalidResponse: The server listed files of another folder; none was deleted.
        """
        folder = self._location.child(prefix)
        folder.validate_bucket()
        expected = folder.name or folder.bucket
        is_confirmed = confirm == expected if isinstance(confirm, str) else confirm is True and bool(folder.name)
        if not is_confirmed:
            raise UsageError(f"confirm must be {expected!r} to delete all files below it, got {describe(confirm)}.")
        threads = validate_int("workers", workers, 1, MAX_WORKERS)
        requestor = self._authenticate(token)
        pages = listing.iter_pages(self._page_fetcher(requestor, folder.folder, None, None))
        names = [name for page in pages for name in page.items]
        for name in names:
            if not name.startswith(folder.folder):
                raise InvalidResponse(
                    f"Invalid list response: {describe(name)} is outside of {folder.folder!r}. Nothing was deleted."
                )

        def work(name: str, _: None) -> None:
            requestor.run(protocol.delete(self._location.at(name)))

        results = run_batch([(name, None) for name in names], work, threads, None, "delete")
        errors = [result.error for result in results if result.error is not None]
        if errors:
            raise errors[0]
        return len(results)

    # --- links ------------------------------------------------------------------------------------------------------

    def get_url(self, token: Token = None) -> str:
        """Return the URL of the file.

        Args:
            token: A download token to add to the URL, or None. An ID token never becomes part of a URL: for an ID token
                or a `UserSession`, as in pyrebase, the method returns `get_download_url(token)`.
        """
        if arguments.is_id_token(token):
            return self.get_download_url(token)
        return protocol.download_url(self._location, None if token is None else validate_token(token))

    def signed_url(
        self,
        expires: float | timedelta,
        method: str = "GET",
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> str:
        """Return a V4 signed URL, which allows one method on the file without authentication. Keep it secret.

        Args:
            expires: Seconds or a timedelta, at most 7 days.
            method: GET, HEAD, PUT, POST or DELETE.
            headers: Headers that requests with the URL must send.
            params: Additional query parameters, such as "response-content-disposition".

        Raises:
            ConfigError: The App has no service account.

        https://cloud.google.com/storage/docs/access-control/signed-urls
        """
        seconds, http_method = arguments.validate_expiry(expires), arguments.validate_method(method)
        signed_headers, signed_params = validate_str_dict("headers", headers), validate_str_dict("params", params)
        self._location.validate()
        account = self._context.account
        if account is None:
            raise ConfigError(
                "signed_url() requires a service account; configure 'serviceAccount', or pass credentials=."
            )
        email = signed_url.service_account_email(account.google_credentials)
        now = datetime.now(timezone.utc)
        request = signed_url.V4SigningRequest(
            self._location, email, seconds, now, http_method, signed_headers, signed_params
        )
        signature = signed_url.sign_locally(account.google_credentials, request.message)
        if signature is None:
            signature = self._requestor.with_credentials(account).run(sign_blob(email, request.message))
        return request.url(signature)


class StorageReference(FileOperations):
    """A file or a folder, whether it exists or not. Immutable."""

    __slots__ = ()

    @property
    def bucket(self) -> str:
        """The name of the bucket."""
        return self.bucket_name


class Prefix(StorageReference):
    """A folder that `list` returned."""

    __slots__ = ()

    @property
    def is_prefix(self) -> bool:
        return True


class Storage(FileOperations):
    """A bucket. Immutable."""

    __slots__ = ()

    def ref(self, url: str) -> StorageReference:
        """Return the file that a gs:// URL or a download URL refers to. A token in the URL is ignored.

        Raises:
            UsageError: `url` is not such a URL.
        """
        return StorageReference(self._requestor, parse_url(url, self._context.emulator), self._context)

    @property
    def google_bucket(self) -> Any:
        """The bucket as a `google.cloud.storage.Bucket`, for features that Firebase's API lacks.

        Raises `ConfigError` without a service account, ImportError without the package google-cloud-storage.
        """
        return google_bucket(self._location, self._context)

    @property
    def bucket(self) -> Any:
        """Same as `google_bucket`; pyrebase's name."""
        return self.google_bucket
