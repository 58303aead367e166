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
    "no status": "a cancelled upload, and what is refused of one, does not say how it stands",
    "crc32c in decimal": "metadata has the checksum as a decimal number; production as base64, like the header",
    "one line of checksums": "x-goog-hash is one line with a comma; production sends two",
    "no file name": "the Content-Disposition that an upload gets is inline and no more; production adds a file name",
    "a file name of its own": "a download's Content-Disposition is given a file name that is not in the metadata",
    "metageneration misspelt": "the header is called x-goog-metadatageneration",
    "empty headers": "a download has Content-Encoding and Cache-Control headers with nothing in them",
    "empty metadata": "an object has custom metadata {} where it has none; production leaves the key out",
    "an object's headers with its metadata": "what is kept to be sent with a file is sent with the JSON about it, too",
    "granularity 10000": "chunks shall be multiples of 10000 bytes, which is not checked; in production of 262144",
    "generations in milliseconds": "production counts microseconds",
}
"""Formats in which only the official emulator differs. They are converted to production's format before the
comparison."""

DIFFERENCES = {
    "a chunk at the wrong offset": "it is refused as in production; the official emulator appends whatever comes",
    "a chunk without an offset": "it is refused as in production; the official emulator appends whatever comes",
    "a chunk of an odd size": "it is refused as in production; the official emulator takes any size",
    "more bytes than announced": "it is refused; the official emulator does not look at the announced length",
    "fewer bytes than announced": "it is refused; the official emulator does not look at the announced length",
    "the type named at the start": "X-Goog-Upload-Header-Content-Type counts, as the protocol has it",
    "JSON without its type at the start": "it is read; the official emulator drops it",
    "a part with two headers": "the file is what follows the headers; the official emulator stores half of them",
    "a boundary and a charset": "parameters may stand in any order; the official emulator takes both for the boundary",
    "multipart without the protocol's header": "the parts are told apart; the official emulator stores the envelope",
    "the type of the file's part": "it counts where the JSON names none; the official emulator does not look at it",
    "metadata that is no JSON": "400 in JSON instead of a page of HTML, or no answer at all",
    "a wrong MD5": "it is refused as by Cloud Storage; the official emulator does not look at it",
    "the last token": "replacing it is one change of the metadata; the official emulator counts two",
    "tokens as custom metadata": "they are refused as in production; the official emulator takes them",
    "nothing as custom metadata": "null leaves the key out; the official emulator keeps it as text",
    "an unsatisfiable range": "416 as in production; the official emulator sends everything",
    "a range of more than all": "the last 100 of 11 bytes are all of them; the official emulator ignores the header",
    "several ranges": "everything is sent; the official emulator takes the first, or joins them",
    "the length of a download's HEAD": "it is the file's; the official emulator leaves it out",
    "the language of a download": "Content-Language is sent with the file; the official emulator forgets it",
    "pages": "prefixes count and come once, tokens are opaque, as in production",
    "a prefix that ends with two slashes": "it is refused as in production, with production's sentence",
    "no results wanted": "it is refused; the official emulator sends empty pages for ever",
    "delete by a query": "it works, as reported from production; the official emulator does not know it",
    "a slash in the path": "400 as in production; the official emulator takes it for its XML API",
    "a token that is none": "401; the official emulator leaves every token to the rules",
    "names that are paths": "a//b is another object than a/b; the official emulator mixes them up",
    "a name too long": "it is refused as in production",
    "a name with a line end": "it is refused as in production",
    "an unknown protocol": "400 instead of taking the body for the file",
    "a condition that fails": "412 as in Cloud Storage; the official emulator does not look at it",
    "a path without the object": "400; the official emulator takes it for the bucket",
}


def scenario(tell: Callable[[FileTranscript], None]) -> Callable[[FileTranscript], None]:
    SCENARIOS[tell.__name__] = tell
    return tell
