"""Frames of the SDKs' protocol."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebase_rest.emulator.database.realtime import frames
from firebase_rest.emulator.database.realtime.frames import FrameError, MessageAssembler, frames_work
from firebase_rest.emulator.database.slices import finish


def split_message(text, size=100_000):
    data = text.encode()
    cuts = [0, *(start for start in range(size, len(data), size) if data[start] & 0xC0 != 0x80)]
    pieces = [data[start:end] for start, end in zip(cuts, [*cuts[1:], len(data)], strict=True)]
    return finish(frames_work(pieces))


def units(text):
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize("text", ["", "x" * 16_384, "é" * 16_384, "😀" * 8_192])
def test_message_of_at_most_16384_units_is_one_frame(text):
    assert split_message(text) == [text]


@pytest.mark.parametrize("text", ["x" * 16_385, "é" * 16_385, "😀" * 8_193, "a" + "😀" * 50_000])
def test_longer_message_is_split_after_a_count(text):
    count, *pieces = split_message(text)
    assert int(count) == len(pieces)
    assert "".join(pieces) == text
    assert all(units(piece) <= 16_384 for piece in pieces)


LONG_TEXTS = st.builds(lambda text, size: text * size, st.text(min_size=7, max_size=9), st.integers(1, 6_000))


@given(st.lists(LONG_TEXTS, max_size=5), st.integers(100, 100_000))
def test_assembled_messages_are_those_that_were_split(messages, size):
    assembler = MessageAssembler()
    found = [assembler.feed(frame) for message in messages for frame in split_message(message, size)]
    assert [message for message in found if message is not None] == messages


@pytest.mark.parametrize("count", ["0", "000000"])
def test_keepalive_is_no_message(count):
    assembler = MessageAssembler()
    assert assembler.feed(count) is None
    assert assembler.feed("{}") == "{}"


@pytest.mark.parametrize("frame", ["-1", "1.5", "1234567", "١", " 1", ""])
def test_other_texts_are_messages(frame):
    assert MessageAssembler().feed(frame) == frame


def test_message_that_is_too_long_is_rejected(monkeypatch):
    monkeypatch.setattr(frames, "MAX_MESSAGE", 10)
    assembler = MessageAssembler()
    assembler.feed("2")
    assembler.feed("x" * 10)
    with pytest.raises(FrameError):
        assembler.feed("x")
