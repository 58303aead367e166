"""Parsing, building, rendering and releasing in slices give the same results as at once."""

from __future__ import annotations

import gc
import json
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firebase_rest.emulator.database import parsing, tree
from firebase_rest.emulator.database.node_builder import Builder, InvalidDataError, InvalidKeyError
from firebase_rest.emulator.database.rendering import json_work, node_work, release_work, shallow_work
from firebase_rest.emulator.database.responses import compact
from firebase_rest.emulator.database.slices import finish
from firebase_rest.rules.garbage_collector import collector
from unit.emulator.database.sizes import small_chunks

TEXT = st.one_of(st.sampled_from(["},{", "]},", '"', "\\", "é", "😀", ",", "a" * 40]), st.text(max_size=6))
KEYS = st.one_of(st.integers(0, 30).map(str), st.sampled_from(["a", "b", "c d", "é", "},"]))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(-1e9, 1e9), TEXT)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=12),
        st.dictionaries(KEYS, inner, max_size=12),
        st.builds(lambda value, rank: {"x": value, "y": 1, ".priority": rank}, inner, st.integers(0, 3)),
    ),
    max_leaves=60,
)
SPACES = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n ", "\t:\r\n")])


def parsed(text):
    with mock.patch.multiple(parsing, PIECE=32, _LOOK_AHEAD=12, _DECODE_BYTES=7, _SINGLE_MEMBERS=2):
        return finish(parsing.parse_work(text.encode()))


def plain(value):
    """Return a parsed value with dicts only."""
    if isinstance(value, parsing.LargeObject):
        return {key: plain(item) for key, item in value.items()}
    return list(map(plain, value)) if isinstance(value, list) else value


def text_or_none(parse, text):
    """Return what `parse` returns as text, None if it raises."""
    try:
        return json.dumps(parse(text))
    except ValueError:
        return None


@pytest.mark.slow
@settings(max_examples=200)
@given(VALUES, SPACES, st.booleans())
def test_parsing_in_slices_agrees_with_json(value, separators, escaped):
    text = json.dumps(value, separators=separators, ensure_ascii=escaped)
    result = parsed(f" {text}\n")
    assert json.dumps(plain(result)) == json.dumps(value)
    assert b"".join(finish(json_work(result))) == compact(value)


@pytest.mark.slow
@settings(max_examples=150)
@given(VALUES, st.data())
def test_damaged_text_is_invalid_for_both_parsers(value, data):
    text = json.dumps(value, ensure_ascii=False)
    position = data.draw(st.integers(0, len(text)))
    damaged = text[:position] + data.draw(st.sampled_from(["", ",", "}", "]", "x", "NaN", '"'])) + text[position + 1 :]
    assert text_or_none(lambda text: plain(parsed(text)), damaged) == text_or_none(
        lambda text: json.loads(text, parse_constant=int), damaged
    )


@settings(max_examples=150)
@given(VALUES)
def test_large_nodes_are_built_and_rendered_as_small_ones(value):
    expected = Builder(0).build(value, None, 0)
    with small_chunks():
        node = finish(Builder(0).build_work(parsed(json.dumps(value)), None, 0))
        assert tree.nodes_equal(node, expected)
        assert b"".join(finish(node_work(node, as_export=False))) == compact(tree.render(expected))
        assert b"".join(finish(node_work(node, as_export=True))) == compact(tree.export(expected))
        assert b"".join(finish(shallow_work(node))) == compact(tree.shallow(expected))
        assert tree.etag(node) == tree.etag(expected)


@pytest.mark.slow
@settings(max_examples=100)
@given(st.dictionaries(KEYS, VALUES, min_size=3, max_size=30), KEYS, SCALARS)
def test_etag_does_not_depend_on_the_order_of_writes(value, key, leaf):
    with small_chunks(), mock.patch.multiple(tree, _MAX_WHOLE_TAG=4, _MAX_UNCACHED_TAG=2):
        node = finish(Builder(0).build_work(value, None, 0))
        tree.etag(node)
        written = tree.replace(tree.replace(node, (key, "z"), 1), (key,), Builder(0).build(leaf, None, 1))
        again = Builder(0).build({**tree.export(written)} if tree.has_children(written) else written, None, 0)
        assert tree.etag(written) == tree.etag(again)
        assert (tree.etag(written) == tree.etag(node)) == tree.nodes_equal(written, node)


@pytest.mark.slow
@settings(max_examples=100)
@given(st.dictionaries(KEYS, VALUES, min_size=3, max_size=30))
def test_releasing_one_version_keeps_the_others(value):
    with small_chunks():
        node = Builder(0).build(value, None, 0)
        replaced = tree.replace(node, ("a", "b"), 1)
        text = compact(tree.export(replaced))
        garbage = [node]
        del node
        finish(release_work(garbage))
        assert compact(tree.export(replaced)) == text


def test_parsed_values_are_emptied():
    value = parsed(json.dumps({"a": list(range(100)), "b": {str(i): [i] * 20 for i in range(100)}}))
    inner = value["b"]
    finish(release_work([value]))
    assert not value.parts
    assert not inner.parts


def test_emptying_a_parsed_value_does_not_change_its_node():
    builder = Builder(0)
    builder.build({"a": "short"}, None, 0)
    value = parsed(json.dumps({"a": "x" * 50}))
    assert isinstance(value, parsing.LargeObject)
    node = finish(builder.build_work(value, None, 0))
    finish(release_work([value]))
    assert tree.export(node) == {"a": "x" * 50}


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"a": {"x" * 40: 1, "b.c": 2}}, InvalidKeyError),
        ({"k" * 800: [1] * 50}, InvalidDataError),
        ([{"a" * 30: 1e400}], InvalidDataError),
    ],
)
def test_invalid_data_in_large_values_is_rejected(value, error):
    large = parsed(json.dumps(value).replace("Infinity", "1e400"))
    with pytest.raises(error):
        finish(Builder(0).build_work(large, None, 0))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(KEYS, VALUES), min_size=3, max_size=40))
def test_last_value_of_a_repeated_key_counts(members):
    text = "{" + ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in members) + "}"
    expected = json.loads(text)
    value = parsed(text)
    with small_chunks():
        node = finish(Builder(0).build_work(value, None, 0))
        assert tree.nodes_equal(node, Builder(0).build(expected, None, 0))
        assert b"".join(finish(json_work(value))) == compact(expected)


def test_unpaired_surrogate_in_a_large_value_is_invalid():
    with pytest.raises(ValueError, match="surrogate"):
        parsed('{"a": ["' + "x" * 50 + '", "\\ud800"]}')


def test_collector_is_enabled_again_after_the_last_pause():
    assert gc.isenabled()
    with collector.paused():
        with collector.paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with collector.paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("moved", range(-7, 3))
@pytest.mark.parametrize("parts", [1, 3, 20])
def test_unpaired_surrogate_is_found_across_the_parts_of_a_long_string(parts: int, moved: int) -> None:
    text = "x" * (parts * parsing._DECODE_BYTES + moved)
    with pytest.raises(ValueError, match="surrogate"):
        finish(parsing.parse_work(f'"{text}\\ud800{text}"'.encode()))
    assert finish(parsing.parse_work(f'"{text}\\ud83d\\ude00{text}"'.encode())) == f"{text}😀{text}"
