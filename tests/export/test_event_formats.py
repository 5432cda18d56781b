"""Every event format against a reader written from the definition of the format."""

from __future__ import annotations

import numpy as np
import pytest
from event_readers import (
    columns_of,
    make_events,
    percent_header,
    read_aedat2,
    read_aedat4,
    read_csv,
    read_evt2,
    read_evt3,
    read_prophesee_dat,
    read_rpg_txt,
    read_v2e_h5,
    source_of,
)
from hypothesis import given
from hypothesis import strategies as st

from datagen.errors import InputError
from datagen.export.aedat2 import write_aedat2
from datagen.export.aedat4 import write_aedat4
from datagen.export.prophesee_dat import write_prophesee_dat
from datagen.export.prophesee_raw import write_evt2, write_evt3
from datagen.export.text import write_csv, write_rpg_txt
from datagen.export.v2e_h5 import write_v2e_h5
from schemas.export import Aedat2ExportSpec, Aedat4ExportSpec, RpgTextExportSpec

WIDTH, HEIGHT = 346, 260

FORMATS = {
    "evt2": (write_evt2, read_evt2),
    "evt3": (write_evt3, read_evt3),
    "prophesee_dat": (write_prophesee_dat, read_prophesee_dat),
    "aedat4": (lambda p, e: write_aedat4(p, e, Aedat4ExportSpec()), read_aedat4),
    "aedat2": (
        lambda p, e: write_aedat2(p, e, Aedat2ExportSpec()),
        lambda p: read_aedat2(p, width=WIDTH, height=HEIGHT),
    ),
    "v2e_h5": (write_v2e_h5, read_v2e_h5),
    "rpg_txt": (lambda p, e: write_rpg_txt(p, e, RpgTextExportSpec()), read_rpg_txt),
    "csv": (write_csv, read_csv),
}


@pytest.fixture(params=FORMATS)
def form(request):
    return FORMATS[request.param]


EDGES = [
    (0, 0, 0, 0),
    (0, WIDTH - 1, 0, 1),
    (0, WIDTH - 1, HEIGHT - 1, 0),
    (1, 0, HEIGHT - 1, 1),
    (63, 5, 5, 1),
    (64, 5, 5, 0),
    (999_999, 7, 9, 1),
    (1_000_000, 7, 9, 0),
    (2**24 - 1, 10, 20, 1),
    (2**24, 10, 20, 1),
    (2**31 - 1, 345, 1, 0),
]


def test_edges_survive(form, tmp_path):
    """Keep corners, equal stamps, and times around every power that a format splits at."""
    write, read = form
    events = make_events(EDGES)
    write(tmp_path / "file", source_of(events, width=WIDTH, height=HEIGHT))
    assert read(tmp_path / "file") == columns_of(events)


def test_many_events_survive(form, tmp_path):
    """Keep 100,000 random events, more than a packet or a block of text holds."""
    write, read = form
    rng = np.random.default_rng(3)
    n = 100_000
    t = np.sort(rng.integers(0, 300_000, n))
    rows = np.stack([t, rng.integers(0, WIDTH, n), rng.integers(0, HEIGHT, n), rng.integers(0, 2, n)], 1)  # fmt: skip
    events = make_events(rows.tolist())
    write(tmp_path / "file", source_of(events, width=WIDTH, height=HEIGHT))
    assert read(tmp_path / "file") == columns_of(events)


def test_no_events(form, tmp_path):
    """Write a file that a reader finds empty, not a broken one."""
    write, read = form
    write(tmp_path / "file", source_of(width=WIDTH, height=HEIGHT))
    assert read(tmp_path / "file") == ([], [], [], [])


@pytest.mark.parametrize("name", ["evt2", "evt3", "prophesee_dat", "aedat2", "v2e_h5", "rpg_txt"])
def test_slabs_do_not_show(name, tmp_path):
    """Give the same bytes when the stream comes in other parts."""
    write, read = FORMATS[name]
    events = make_events(EDGES)
    parts = [make_events(EDGES[:4]), make_events(EDGES[4:5]), make_events(EDGES[5:])]
    write(tmp_path / "whole", source_of(events, width=WIDTH, height=HEIGHT))
    write(tmp_path / "parts", source_of(*parts, width=WIDTH, height=HEIGHT))
    if name == "v2e_h5":  # its bytes depend on how HDF5 grew the table
        assert read(tmp_path / "parts") == columns_of(events)
    else:
        assert (tmp_path / "whole").read_bytes() == (tmp_path / "parts").read_bytes()


@st.composite
def streams(draw, *, longest_gap=2**26):
    """Events with long gaps, equal stamps and repeated rows, cut in two at random."""
    gaps = st.one_of(st.just(0), st.integers(0, 70), st.integers(0, longest_gap))
    rows, t = [], draw(st.integers(0, 2**25))
    for gap in draw(st.lists(gaps, max_size=30)):
        t += gap
        rows.append((t, draw(st.integers(0, 2047)), draw(st.integers(0, 3)) * 682, draw(st.integers(0, 1))))  # fmt: skip
    cut = draw(st.integers(0, len(rows)))
    return make_events(rows), make_events(rows[:cut]), make_events(rows[cut:])


@given(streams())
def test_evt3_round_trip(tmp_path_factory, stream):
    """Decode any stream to itself, though the clock of the format wraps every 2^24 us."""
    whole, *parts = stream
    path = tmp_path_factory.mktemp("evt3") / "file.raw"
    write_evt3(path, source_of(*parts, width=2048, height=2048))
    assert read_evt3(path) == columns_of(whole)


@given(streams(longest_gap=2**36))
def test_evt2_round_trip(tmp_path_factory, stream):
    """Decode any stream to itself, though the clock of the format wraps every 2^34 us."""
    whole, *parts = stream
    path = tmp_path_factory.mktemp("evt2") / "file.raw"
    write_evt2(path, source_of(*parts, width=2048, height=2048))
    assert read_evt2(path) == columns_of(whole)


@given(streams(longest_gap=2**40))
def test_text_round_trip(tmp_path_factory, stream):
    """Write every digit of a time, however long the stream."""
    whole, *parts = stream
    folder = tmp_path_factory.mktemp("text")
    write_csv(folder / "csv", source_of(*parts, width=2048, height=2048))
    write_rpg_txt(folder / "txt", source_of(*parts, width=2048, height=2048), RpgTextExportSpec())
    assert read_csv(folder / "csv") == read_rpg_txt(folder / "txt") == columns_of(whole)


def test_evt2_words(tmp_path):
    """Write the words that the definition gives for two events worked out by hand."""
    events = make_events([(64 * 3 + 5, 17, 33, 1), (64 * 3 + 6, 2, 1, 0)])
    write_evt2(tmp_path / "f", source_of(events, width=20, height=40))
    data = (tmp_path / "f").read_bytes()
    fields, at = percent_header(data)
    assert fields == {"evt": "2.0", "format": "EVT2;height=40;width=20", "geometry": "20x40"}
    assert np.frombuffer(data[at:], "<u4").tolist() == [
        0x80000003, 1 << 28 | 5 << 22 | 17 << 11 | 33, 6 << 22 | 2 << 11 | 1,
    ]  # fmt: skip


def test_evt3_words(tmp_path):
    """Repeat neither time nor row that has not changed."""
    events = make_events([(4096 * 2 + 7, 17, 33, 1), (4096 * 2 + 7, 18, 33, 0), (4096 * 2 + 9, 18, 33, 1)])  # fmt: skip
    write_evt3(tmp_path / "f", source_of(events, width=20, height=40))
    data = (tmp_path / "f").read_bytes()
    fields, at = percent_header(data)
    assert fields["format"] == "EVT3;height=40;width=20"
    assert np.frombuffer(data[at:], "<u2").tolist() == [
        0x8002, 0x6007, 33, 0x2000 | 1 << 11 | 17, 0x2000 | 18, 0x6009, 0x2000 | 1 << 11 | 18,
    ]  # fmt: skip


def test_every_wrap_is_shown(tmp_path):
    """Mark each wrap of EVT 3.0's clock by its last and its first high word."""
    events = make_events([(5, 0, 0, 1), (3 * 2**24 + 5, 0, 0, 1)])
    write_evt3(tmp_path / "f", source_of(events, width=8, height=8))
    data = (tmp_path / "f").read_bytes()
    words = np.frombuffer(data[percent_header(data)[1] :], "<u2").tolist()
    assert [word for word in words if word >> 12 == 8] == [0x8000, *[0x8FFF, 0x8000] * 3, 0x8000]


def test_rpg_text(tmp_path):
    """Write seconds with six decimals and, on request, the size first."""
    events = make_events([(7, 1, 2, 0), (12_000_345, 3, 4, 1)])
    spec = RpgTextExportSpec(size_line=True)
    write_rpg_txt(tmp_path / "f", source_of(events, width=8, height=9), spec)
    assert (tmp_path / "f").read_text() == "8 9\n0.000007 1 2 0\n12.000345 3 4 1\n"


@pytest.mark.parametrize("y", [140, 143])
def test_aedat2_first_event_is_no_comment(tmp_path, y):
    """Keep the first event even where its address begins like a header line."""
    events = make_events([(3, 9, y, 1), (4, 9, y, 0)])
    spec = Aedat2ExportSpec(flip_x=False, flip_y=False)
    write_aedat2(tmp_path / "f", source_of(events, width=WIDTH, height=HEIGHT), spec)
    t, x, turned, p = read_aedat2(tmp_path / "f", width=WIDTH, height=HEIGHT)
    assert (t, p) == ([3, 4], [1, 0])
    assert [WIDTH - 1 - v for v in x] == [9, 9]
    assert [HEIGHT - 1 - v for v in turned] == [y, y]


@pytest.mark.parametrize(
    ("name", "width", "height", "last_us"),
    [
        ("evt2", 2049, 4, 0),
        ("evt3", 4, 2049, 0),
        ("evt3", 4, 4, 2**62),
        ("prophesee_dat", 16385, 4, 0),
        ("prophesee_dat", 4, 4, 2**32),
        ("aedat2", 4, 513, 0),
        ("aedat2", 4, 4, 2**31),
        ("aedat4", 32769, 4, 0),
        ("v2e_h5", 4, 4, 2**32),
    ],
)
def test_what_does_not_fit_is_refused(name, width, height, last_us, tmp_path):
    """Refuse a sensor or a time that the format cannot say, before a byte is written."""
    events = make_events([(last_us, 0, 0, 1)])
    with pytest.raises(InputError, match="test: "):
        FORMATS[name][0](tmp_path / "f", source_of(events, width=width, height=height))
    assert not (tmp_path / "f").exists()


def test_absurd_gap_is_refused(tmp_path):
    """Refuse a gap that would fill the disk with wraps of the clock."""
    events = make_events([(0, 0, 0, 1), (2**45, 0, 0, 1)])
    with pytest.raises(InputError, match="2097152 wraps"):
        write_evt3(tmp_path / "f", source_of(events, width=4, height=4))
