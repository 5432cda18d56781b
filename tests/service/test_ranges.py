"""Which bytes a Range header asks for (RFC 9110, section 14)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.http.ranges import MOST, Span, Unsatisfiable, names, parse_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-9", [Span(0, 10)]),
        ("bytes=90-", [Span(90, 100)]),
        ("bytes=-5", [Span(95, 100)]),
        ("bytes=-500", [Span(0, 100)]),
        ("bytes=95-200", [Span(95, 100)]),
        ("bytes=0-0, 99-99", [Span(0, 1), Span(99, 100)]),
        ("bytes=0-9,200-", [Span(0, 10)]),
        ("items=0-1", None),
        ("bytes=abc", None),
        ("bytes=9-3", None),
        ("bytes=-", None),
        ("bytes=", None),
        ("bytes=0-50,40-60", None),
        ("bytes=" + ",".join(f"{i}-{i}" for i in range(MOST + 1)), None),
    ],
)
def test_known_answers(header: str | None, expected: list[Span] | None) -> None:
    """Give the spans, or None where the whole is to be sent."""
    assert parse_range(header, 100) == expected


@pytest.mark.parametrize(("header", "size"), [("bytes=100-", 100), ("bytes=-0", 100), ("bytes=0-", 0)])  # fmt: skip
def test_unsatisfiable(header: str, size: int) -> None:
    """Refuse a well-formed set of which nothing lies in the content."""
    with pytest.raises(Unsatisfiable):
        parse_range(header, size)


@given(
    st.lists(
        st.tuples(st.integers(0, 120) | st.none(), st.integers(0, 120) | st.none()),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 100),
)
def test_spans_lie_inside(pairs: list[tuple[int | None, int | None]], size: int) -> None:
    """Never ask for bytes that are not there, nor for any twice."""
    parts = [f"{'' if a is None else a}-{'' if b is None else b}" for a, b in pairs]
    try:
        spans = parse_range("bytes=" + ",".join(parts), size) or []
    except Unsatisfiable:
        return
    asked = [i for span in spans for i in range(span.start, span.stop)]
    assert all(0 <= i < size for i in asked)
    assert len(asked) == len(set(asked))


@given(st.text(max_size=60))
def test_any_text_is_survived(text: str) -> None:
    """Answer every header with spans, the whole, or a refusal."""
    with contextlib.suppress(Unsatisfiable):
        parse_range(text, 100)


@pytest.mark.parametrize(
    ("header", "weak", "expected"),
    [
        (None, True, False),
        ('"a"', True, True),
        ('W/"a"', True, True),
        ('W/"a"', False, False),
        ('"b", "a"', False, True),
        ("*", False, True),
        ('"b"', True, False),
    ],
)
def test_entity_tags(header: str | None, weak: bool, expected: bool) -> None:
    """Compare weakly for If-None-Match, strongly for If-Match."""
    assert names(header, '"a"', weak=weak) is expected
