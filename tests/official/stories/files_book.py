"""What programs do with Firebase Storage, as stories that any Storage emulator can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from official.file_transcript import FileTranscript

STORIES: dict[str, Callable[[FileTranscript], None]] = {}

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


def story(tell: Callable[[FileTranscript], None]) -> Callable[[FileTranscript], None]:
    STORIES[tell.__name__] = tell
    return tell
