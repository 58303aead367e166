"""Hypothesis strategies for values, keys, paths and queries of the database."""

from __future__ import annotations

from hypothesis import strategies as st

from firebase_rest.database.filter import Bound, Filter

CONTROLS = "".join(map(chr, range(0x20))) + "\x7f"

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
good_keys = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters=".$#[]/" + CONTROLS), min_size=1, max_size=8),
    st.integers(-(2**31) - 2, 2**31 + 2).map(str),
    st.sampled_from(["0", "00", "-0", "007", "2147483647", "2147483648", "١", "😀", "\uf8ff", "a b", "%41", "+", "?"]),
)
paths = st.lists(good_keys, max_size=5).map(tuple)

numbers = st.one_of(
    st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)
)
scalars = st.one_of(st.none(), st.booleans(), numbers, any_text)
present = st.one_of(st.booleans(), numbers, any_text)


def trees(keys: st.SearchStrategy[str] = good_keys) -> st.SearchStrategy[object]:
    """Plain JSON that can be stored."""
    return st.recursive(
        scalars,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
        max_leaves=12,
    )


def _bounds(values: st.SearchStrategy[object], with_key: bool) -> st.SearchStrategy[Bound]:
    keys = st.one_of(st.none(), good_keys) if with_key else st.none()
    return st.builds(Bound, values, keys)  # type: ignore[arg-type]


@st.composite
def legal_filters(draw: st.DrawFn) -> Filter:
    """A filter that `check` accepts, without `shallow`."""
    order = draw(st.one_of(st.sampled_from(["$key", "$value", "$priority"]), paths.filter(bool).map("/".join)))
    if order == "$key":
        bound = _bounds(any_text, with_key=False)
    elif order == "$priority":
        bound = _bounds(st.one_of(st.none(), numbers, any_text), with_key=True)
    else:
        bound = _bounds(scalars, with_key=True)
    windows: list[tuple[str, ...]] = [(), ("equal_to",)]
    for low in ((), ("start_at",), ("start_after",)):
        windows += [(*low, *high) for high in ((), ("end_at",), ("end_before",))]
    chosen = {name: draw(bound) for name in draw(st.sampled_from(windows))}
    limit = draw(st.sampled_from(["", "limit_to_first", "limit_to_last"]))
    limits = {limit: draw(st.integers(1, 10**6))} if limit else {}
    return Filter(order, **chosen, **limits)  # type: ignore[arg-type]
