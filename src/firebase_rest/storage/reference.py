"""`Storage` and `StorageReference`: a bucket, and the files and folders in it.

The law of this file: thin; the flows know Firebase, and a path means the same whoever signs.
https://firebase.google.com/docs/storage
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from io import BufferedReader
from os import PathLike
from pathlib import Path
from typing import Any, cast, overload

from firebase_rest.errors import ConfigError, UsageError
from firebase_rest.storage import _arguments, protocol, signed_url, transfer
from firebase_rest.storage._base import Token
from firebase_rest.storage.batch import Result, is_list, local_file, pairs, remove_empty, run_batch
from firebase_rest.storage.download import PIECE, ByteRange
from firebase_rest.storage.listing import Listed
from firebase_rest.storage.location import parse_url
from firebase_rest.storage.progress import Progress
from firebase_rest.storage.source import Uploadable, name_of
from firebase_rest.storage.target import Downloadable
from firebase_rest.storage.upload import UploadRequest
from firebase_rest.transport._paths import path_text
from firebase_rest.transport.credentials import validate_token
from firebase_rest.transport.google import sign_blob
from firebase_rest.types import ObjectMetadata


class Files(Listed):
    """What can be done with files, at a place: that file, or a folder of them."""

    __slots__ = ()

    # --- up ---------------------------------------------------------------------------------------------------------

    def put(
        self,
        file: Uploadable,
        token: Token = None,
        content_type: str | None = None,
        *,
        metadata: Mapping[str, str] | None = None,
        cache_control: str | None = None,
        content_disposition: str | None = None,
        content_encoding: str | None = None,
        content_language: str | None = None,
        progress: Progress = None,
        chunk_size: int | None = None,
        if_generation_match: int | str | None = None,
    ) -> ObjectMetadata:
        """Upload, and return the file's metadata.

        `file` is a path, bytes, a file opened with "rb" (from where it stands), a web framework's upload, or an
        iterator of bytes. `token` signs. The content type is guessed from the names unless given; `metadata` are
        strings of your own. `progress` is called with (bytes done, bytes in all or None), or True for a bar.
        `chunk_size` is how much is sent at once, in bytes: a multiple of 262144. With `if_generation_match` it is
        stored only over this generation (0: only if there is no such file), else `PreconditionFailed`.

        What was stored is compared with what was read: `ChecksumMismatch`. A local file that is missing is a
        FileNotFoundError. https://firebase.google.com/docs/storage/web/upload-files
        """
        upload = self.upload(
            file,
            token,
            content_type,
            metadata=metadata,
            cache_control=cache_control,
            content_disposition=content_disposition,
            content_encoding=content_encoding,
            content_language=content_language,
            progress=progress,
            chunk_size=chunk_size,
            if_generation_match=if_generation_match,
        )
        return upload.run()

    def upload(
        self,
        file: Uploadable,
        token: Token = None,
        content_type: str | None = None,
        *,
        metadata: Mapping[str, str] | None = None,
        cache_control: str | None = None,
        content_disposition: str | None = None,
        content_encoding: str | None = None,
        content_language: str | None = None,
        progress: Progress = None,
        chunk_size: int | None = None,
        if_generation_match: int | str | None = None,
        state: str | None = None,
    ) -> transfer.Upload:
        """`put` as an object: `run()` carries it out, `cancel()` ends it, `state` lets another process go on."""
        kind = _arguments.choose_content_type(content_type, self._location.name, name_of(file))
        fields = _arguments.upload_fields(
            kind,
            metadata,
            cacheControl=cache_control,
            contentDisposition=content_disposition,
            contentEncoding=content_encoding,
            contentLanguage=content_language,
        )
        requestor = self._authenticate(token)
        plan = UploadRequest(
            self._location,
            fields,
            _arguments.validate_chunk_size(chunk_size),
            requestor.options.retries,
            _arguments.validate_generation(if_generation_match),
        )
        return transfer.Upload(requestor, plan, file, progress, state)

    def upload_many(
        self,
        files: Mapping[str, Uploadable] | Iterable[tuple[str, Uploadable]],
        token: Token = None,
        *,
        workers: int = 4,
        progress: Progress = None,
    ) -> list[Result]:
        """Upload many files, `workers` at a time: {path below this place: file as for `put`}.

        Returns a result for each, in order; a file that fails stops no other. `progress` counts files.
        """
        jobs = pairs(files, "upload_many() takes a dict of names and files,")

        place = self if token is None else self.as_user(token)

        def work(name: str, file: Uploadable) -> ObjectMetadata:
            return place._below(name).put(file)  # noqa: SLF001 - the same class

        return run_batch(jobs, work, _arguments.validate_int("workers", workers, 1, 64), progress, "upload")

    # --- down -------------------------------------------------------------------------------------------------------

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

    def download(
        self,
        *arguments: Any,
        progress: Progress = None,
        **keywords: Any,
    ) -> None:
        """Write the file to a path, or into a file opened with "wb": `download("local.png")`.

        pyrebase's other form works too, on the bucket: `storage.download("images/a.png", "local.png")`; the path of
        the reference wins over the argument. The local file appears under its name when it is whole and compared with
        its checksum; what fails raises (`NotFound`, `PermissionDenied`, `ChecksumMismatch`, ...) and leaves nothing.
        https://firebase.google.com/docs/storage/web/download-files
        """
        order = _arguments.parse_download_args(arguments, keywords)
        place = self._location if self._location.name or order.path is None else self._location.child(order.path)
        transfer.download(self._authenticate(order.token), place, order.target, None, progress)

    def get_bytes(
        self, token: Token = None, *, max_size: int | None = None, start: int = 0, end: int | None = None
    ) -> bytes:
        """The file's bytes, or those from `start` to `end` (exclusive). Above `max_size` raises `PayloadTooLarge`."""
        span = ByteRange(*_arguments.validate_range(start, end))
        if max_size is not None:
            max_size = _arguments.validate_int("max_size", max_size, 0, _arguments.MAX_BYTES)
        return transfer.get_bytes(self._authenticate(token), self._location, span, max_size)

    def open_stream(self, token: Token = None, *, start: int = 0, end: int | None = None) -> BufferedReader:
        """The file's bytes, or a range of them, as an open binary file; to be closed, or used in a `with` statement."""
        span = ByteRange(*_arguments.validate_range(start, end))
        return BufferedReader(transfer.ObjectStream(self._authenticate(token), self._location, span), PIECE)

    def download_many(
        self,
        files: Mapping[str, Downloadable] | Iterable[str],
        folder: str | PathLike[str] | None = None,
        token: Token = None,
        *,
        workers: int = 4,
        progress: Progress = None,
    ) -> list[Result]:
        """Download many files, `workers` at a time: {path below this place: local file}, or paths and a local folder.

        Returns a result for each, in order; a file that fails stops no other and leaves nothing. `progress` counts
        files.
        """
        if isinstance(files, Mapping):
            if folder is not None:
                raise UsageError("download_many() takes local files from the dict, or a folder for names; not both.")
            jobs = pairs(cast(object, files), "download_many() takes a dict of names and local files,")
        elif not isinstance(folder, (str, PathLike)) or not is_list(files):
            raise UsageError("download_many() takes a dict of names and local files, or names and the folder for them.")
        else:
            jobs = [(name, None) for name in files]
        threads = _arguments.validate_int("workers", workers, 1, 64)
        created: set[Path] = set()

        requestor = self._authenticate(token)

        def work(name: str, target: Downloadable) -> None:
            location = self._below(name)._location  # noqa: SLF001 - the same class
            local = target if folder is None else local_file(Path(folder), path_text(name), created)
            transfer.download(requestor, location, local)

        try:
            return run_batch(jobs, work, threads, progress, "download")
        finally:
            remove_empty(created)

    # --- deleting ---------------------------------------------------------------------------------------------------

    def delete(self, name: Token = None, token: Token = None) -> None:
        """Delete the file here, or with `name`, as in pyrebase, the one with this whole path in the bucket.

        Raises `NotFound` if there is none.
        """
        if token is None and _arguments.is_id_token(name):
            name, token = None, name
        location = self._location if name is None else self._location.at("").child(name)
        self._authenticate(token).run(protocol.delete(location))

    def delete_all(self, prefix: str = "", token: Token = None, *, confirm: object, workers: int = 8) -> int:
        """Delete everything in the folder `prefix` below this place, and return how many files that were.

        `confirm` is the whole path of that folder once more (for a whole bucket, the bucket's name), or True for any
        folder. Raises the first refusal; what was deleted until then is gone.
        """
        folder = self._location.child(prefix)
        _ = folder.bucket_url
        wanted = folder.name or folder.bucket
        if confirm != wanted and not (confirm is True and folder.name):
            raise UsageError(f"delete_all() deletes everything below {wanted!r}: to do it, pass confirm={wanted!r}.")
        threads = _arguments.validate_int("workers", workers, 1, 64)
        names = [(name, None) for name in self._names(folder.folder, token)]
        requestor = self._authenticate(token)

        def work(name: str, _: None) -> None:
            requestor.run(protocol.delete(self._location.at(name)))

        results = run_batch(names, work, threads, None, "delete")
        for result in results:
            if result.error is not None:
                raise result.error
        return len(results)

    # --- links ------------------------------------------------------------------------------------------------------

    def get_url(self, token: Token = None) -> str:
        """The file's address: without a token as it is, with a download token as the link that works for anybody.

        With an ID token or a UserSession it asks for the metadata and returns the shareable link, as
        `get_download_url` does: an ID token never goes into a URL.
        """
        if _arguments.is_id_token(token):
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
        """A V4 signed URL: whoever has it may use `method` on the file, for `expires` seconds (at most 7 days).

        Needs a service account. `headers` must then be sent as they are here; `params` are further parameters of the
        query, like "response-content-disposition". Treat it as a secret.
        https://cloud.google.com/storage/docs/access-control/signed-urls
        """
        seconds, verb = _arguments.validate_expiry(expires), signed_url.validate_method(method)
        signed_headers = signed_url.validate_str_dict("headers", headers)
        signed_params = signed_url.validate_str_dict("params", params)
        _ = self._location.url
        if self._home.account is None:
            raise ConfigError("signed_url() needs a service account: configure 'serviceAccount', or pass credentials=.")
        google = self._home.account.google
        email = signed_url.email_of(google)
        now = datetime.now(timezone.utc)
        to_sign = signed_url.V4SigningRequest(self._location, email, seconds, now, verb, signed_headers, signed_params)
        signature = signed_url.sign_locally(google, to_sign.message)
        if signature is None:
            signature = self._requestor.with_credentials(self._home.account).run(sign_blob(email, to_sign.message))
        return to_sign.url(signature)


class StorageReference(Files):
    """A file or a folder. It never changes; whether it exists is known to the server only."""

    __slots__ = ()

    @property
    def bucket(self) -> str:
        """The name of the bucket."""
        return self.bucket_name


class Prefix(StorageReference):
    """A folder that a list found."""

    __slots__ = ()

    @property
    def is_prefix(self) -> bool:
        return True


class Storage(Files):
    """A bucket."""

    __slots__ = ()

    def ref(self, url: str) -> StorageReference:
        """The file at a gs:// URL or a download URL, with exactly that name; a token in the URL is left out.

        Raises `UsageError` for any other text.
        """
        return StorageReference(self._requestor, parse_url(url, self._home.emulator), self._home)

    @property
    def bucket(self) -> Any:
        """The bucket as google-cloud-storage has it, for everything that Firebase's own API cannot do.

        Raises `ConfigError` without a service account, ImportError where that package is missing.
        """
        from firebase_rest.storage.google_bucket import google_bucket

        return google_bucket(self._location, self._home)
