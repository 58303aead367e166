"""Scenarios of programs that use Firebase Storage, for any Storage emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from official.file_transcript import FileTranscript

SCENARIOS: dict[str, Callable[[FileTranscript], None]] = {}

QUIRKS = {
    "one word of text": "the body of an error, or of a step of a resumable upload, is the status in words; in "
    "production an error is JSON and a step has no body",
    "no status": "a cancelled upload, and a rejected request of one, have no status header",
    "crc32c in decimal": "metadata has the checksum as a decimal number; production as base64, like the header",
    "one line of checksums": "x-goog-hash is one line with a comma; production sends two",
    "no file name": "the Content-Disposition of an upload is only inline; production adds a file name",
    "a file name from the object's name": "a download's Content-Disposition has a file name that the metadata lacks",
    "metageneration misspelt": "the header is called x-goog-metadatageneration",
    "empty headers": "a download has empty Content-Encoding and Cache-Control headers",
    "empty metadata": "an object without custom metadata has {}; production omits the key",
    "an object's headers with its metadata": "headers of the file are also sent with its metadata",
    "granularity 10000": "chunks should be multiples of 10000 bytes, which is not checked; of 262144 in production",
    "generations in milliseconds": "production counts microseconds",
}
"""Formats in which only the official emulator differs. They are converted to production's format before the
comparison."""

DIFFERENCES = {
    "a chunk at the wrong offset": "it is rejected as in production; the official emulator appends any chunk",
    "a chunk without an offset": "it is rejected as in production; the official emulator appends any chunk",
    "a chunk of an invalid size": "it is rejected as in production; the official emulator takes any size",
    "more bytes than announced": "it is rejected; the official emulator ignores the announced length",
    "fewer bytes than announced": "it is rejected; the official emulator ignores the announced length",
    "the type named at the start": "X-Goog-Upload-Header-Content-Type is used, as the protocol specifies",
    "JSON without its type at the start": "it is read; the official emulator ignores it",
    "a part with two headers": "the file follows the headers; the official emulator stores half of the headers",
    "a boundary and a charset": "parameters can be in any order; the official emulator takes both for the boundary",
    "multipart without the protocol's header": "the parts are parsed; the official emulator stores the multipart body",
    "the type of the file's part": "it is used if the JSON has none; the official emulator ignores it",
    "metadata that is not JSON": "400 in JSON instead of HTML or no response",
    "a wrong MD5": "it is rejected as by Cloud Storage; the official emulator ignores it",
    "the last token": "replacing it is one change of the metadata; the official emulator counts two",
    "tokens as custom metadata": "they are rejected as in production; the official emulator accepts them",
    "null as custom metadata": "null removes the key; the official emulator stores it as text",
    "an unsatisfiable range": "416 as in production; the official emulator sends everything",
    "a range longer than the file": "the last 100 of 11 bytes are all bytes; the official emulator ignores it",
    "several ranges": "everything is sent; the official emulator takes the first, or joins them",
    "the length of a download's HEAD": "it is the file's; the official emulator omits it",
    "the language of a download": "Content-Language is sent with the file; the official emulator omits it",
    "pages": "prefixes count and are listed once, and tokens are opaque, as in production",
    "a prefix that ends with two slashes": "it is rejected with production's message",
    "zero results requested": "it is rejected; the official emulator sends empty pages without end",
    "delete by a query": "it works, as reported from production; the official emulator does not support it",
    "a slash in the path": "400 as in production; the official emulator takes it for its XML API",
    "an invalid token": "401; the official emulator passes every token to the rules",
    "names that are paths": "a//b and a/b are different objects; the official emulator confuses them",
    "a name too long": "it is rejected as in production",
    "a name with a line end": "it is rejected as in production",
    "an unknown protocol": "400 instead of taking the body for the file",
    "a condition that fails": "412 as in Cloud Storage; the official emulator ignores it",
    "a path without the object": "400; the official emulator takes it for the bucket",
}


def scenario(run: Callable[[FileTranscript], None]) -> Callable[[FileTranscript], None]:
    SCENARIOS[run.__name__] = run
    return run
