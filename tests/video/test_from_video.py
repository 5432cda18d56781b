"""Films into events: stamps, light, formats, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from datagen.cli import main
from datagen.errors import InputError, SpecError
from datagen.export.png16 import write_png16
from datagen.sensors.event_camera import EventCamera
from datagen.video.command import events_from_video
from datagen.video.convert import film_events
from datagen.video.film import open_film, read_picture, read_stamps
from schemas.arrays import EventArray
from schemas.sensor import EventCameraSpec

HEIGHT, WIDTH, COUNT = 12, 17, 9
CLEAN = EventCameraSpec(preset="clean")


def pictures(shape: tuple[int, ...] = (COUNT, HEIGHT, WIDTH)) -> Any:
    return np.random.default_rng(5).integers(0, 256, shape).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Grey pictures at 0, 1.5, 3.0 ... ms."""
    out = tmp_path / "film"
    out.mkdir()
    for k, picture in enumerate(pictures()):
        Image.fromarray(picture).save(out / f"{k:03}.png")
    (out / "timestamps.txt").write_text("".join(f"{k} {10 + k * 0.0015}\n" for k in range(COUNT)))
    return out


def events_of(film: Any, spec: EventCameraSpec = CLEAN, **options: Any) -> EventArray:
    return EventArray.concatenate(list(film_events(film, spec, key=3, **options)))


def test_events_are_those_of_the_camera(folder: Path) -> None:
    """Give what the event camera makes of the same codes at the same times."""
    camera = EventCamera(CLEAN, width=WIDTH, height=HEIGHT, key=3)
    t = 1500 * np.arange(COUNT)
    state = camera.init_pictures(t[:1], pictures()[:1])
    _, expected = camera.step_pictures(state, t[1:], pictures()[1:])
    found = events_of(open_film(folder))
    assert len(found) > 1000
    for name in ("t", "x", "y", "p"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


def test_pictures_follow_the_numbers_in_their_names(folder: Path) -> None:
    """Read 9.png before 10.png, as with zeros before them."""
    padded = [picture for _, picture in open_film(folder).frames]
    for k in reversed(range(COUNT)):
        (folder / f"{k:03}.png").rename(folder / f"frame-{k + 5}.png")
    for picture, (_, expected) in zip(padded, open_film(folder).frames, strict=True):
        np.testing.assert_array_equal(picture, expected)


def test_sixteen_bits_keep_small_contrast(tmp_path: Path) -> None:
    """See a contrast of 0.3 in light that 8 bits round to one code."""
    for k, level in enumerate([100, 140]):
        write_png16(tmp_path / f"{k}.png", np.full((3, 4), level, np.uint16))
    spec = EventCameraSpec(threshold_sigma=0.0, log_eps=1e-6)
    assert len(events_of(open_film(tmp_path, fps=100), spec)) == 12


def test_srgb_curve_is_undone(tmp_path: Path) -> None:
    """Multiply mid-tone contrast by about 2.2 when the pictures are sRGB."""
    for k, level in enumerate([100, 200]):
        Image.fromarray(np.full((3, 4, 3), level, np.uint8)).save(tmp_path / f"{k}.png")
    spec = EventCameraSpec(threshold_sigma=0.0)
    assert len(events_of(open_film(tmp_path, fps=100), spec)) == 12 * 3
    linear = events_of(open_film(tmp_path, fps=100), spec, transfer="srgb")
    assert len(linear) == 12 * 7


def test_bayer_pixels_see_their_colour(tmp_path: Path) -> None:
    """Send events at red pixels only when red alone changes."""
    for k, level in enumerate([50, 250]):
        picture = np.full((4, 4, 3), 50, np.uint8)
        picture[..., 0] = level
        Image.fromarray(picture).save(tmp_path / f"{k}.png")
    spec = EventCameraSpec(threshold_sigma=0.0, bayer="rggb")
    events = events_of(open_film(tmp_path, fps=100), spec)
    assert len(events) > 0
    assert not np.any((events.x | events.y) % 2)


def test_command_writes_v2e_columns(folder: Path, tmp_path: Path) -> None:
    """Write a file that holds the events as v2e does, the same bytes every time."""
    arguments = ["events", "from-video", str(folder), "--camera", "threshold_on=0.3"]
    files = []
    for name in ("a", "b"):
        result = CliRunner().invoke(main, [*arguments, "-o", str(tmp_path / name)])
        assert result.exit_code == 0, result.output
        files.append(Path(result.output.strip()))
    assert files[0].read_bytes() == files[1].read_bytes()
    with h5py.File(files[0]) as file:
        assert file["events"].shape[1] == 4
        assert file["events"][-1, 0] <= 1500 * (COUNT - 1)


def test_a_format_without_events_is_refused(folder: Path, tmp_path: Path) -> None:
    """Refuse a spike format, and say so."""
    with pytest.raises(SpecError, match="spike_dat: not an event format"):
        events_from_video(
            folder, tmp_path / "o", form={"kind": "spike_dat"}, camera={}, fps=None, stamps=None,
            transfer="codes", seed=0,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "told"), [("evt33", "did you mean 'evt3'?"), ("dsec", "expected one of evt2, ")]
)
def test_command_names_the_formats_there_are(folder: Path, name: str, told: str) -> None:
    """Tell who mistyped a format which one was meant, or all that the command writes."""
    result = CliRunner().invoke(
        main, ["events", "from-video", str(folder), "-o", "o", "--format", name]
    )
    assert result.exit_code == 2
    assert f"'--format': {name!r} is no format of this command; {told}" in result.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0\n0.1\n0.1\n", "times that increase"),
        ("0\n0.2\n0.1\n", "times that increase"),
        ("0\n0.0000001\n1\n", "times that increase"),
        ("0\nnan\n1\n", "a time in seconds"),
        ("0\nsoon\n1\n", "a time in seconds"),
    ],
)
def test_bad_stamps_are_refused(tmp_path: Path, text: str, message: str) -> None:
    """Refuse time that stands still, goes back or is no time, naming the line."""
    (tmp_path / "t.txt").write_text(text)
    with pytest.raises(InputError, match=rf"line \d+: .*{message}"):
        read_stamps(tmp_path / "t.txt")


def test_missing_stamps_and_odd_pictures_are_refused(folder: Path, tmp_path: Path) -> None:
    """Name what is missing, too many, of another size or no picture."""
    stamps = folder / "timestamps.txt"
    stamps.write_text("0\n1\n")
    with pytest.raises(InputError, match="2 stamps; expected one for each of 9"):
        open_film(folder)
    stamps.unlink()
    with pytest.raises(InputError, match="--fps"):
        open_film(folder)
    with pytest.raises(InputError, match="fps is 0"):
        open_film(folder, fps=0)
    with pytest.raises(InputError, match="both fps"):
        open_film(folder, fps=10, stamps=folder / "timestamps.txt")
    with pytest.raises(InputError, match="no such file"):
        open_film(tmp_path / "nowhere", fps=1)
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(folder / "005.png")
    with pytest.raises(InputError, match="Expected one size"):
        events_of(open_film(folder, fps=10))
    (folder / "005.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="cannot be read as a picture"):
        events_of(open_film(folder, fps=10))


def write_video(cv2: Any, path: Path, *, fps: float) -> None:
    """`pictures` as a film without loss; its stamps are whole milliseconds."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"FFV1"), fps, (32, HEIGHT))
    for picture in pictures((COUNT, HEIGHT, 32)):
        writer.write(np.repeat(picture[..., None], 3, axis=2))
    writer.release()


def test_depth_of_picture_files_is_kept(tmp_path: Path) -> None:
    """Read 16-bit TIFF as it is, and refuse 32 bits and films of two depths."""
    codes = np.array([[0, 300], [40_000, 65_535]], np.uint16)
    Image.fromarray(codes).save(tmp_path / "0.tif")
    np.testing.assert_array_equal(read_picture(tmp_path / "0.tif"), codes)
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "1.tif")
    with pytest.raises(InputError, match="8 bits per channel; the first picture has 16"):
        events_of(open_film(tmp_path, fps=10))
    Image.fromarray(np.zeros((2, 2), np.float32)).save(tmp_path / "1.tif")
    with pytest.raises(InputError, match="32 bits per channel; expected 8 or 16"):
        events_of(open_film(tmp_path, fps=10))


def test_video_file_brings_its_own_stamps(tmp_path: Path) -> None:
    """Read a video's pictures and times, and refuse a file that is none."""
    cv2 = pytest.importorskip("cv2")
    path = tmp_path / "film.mkv"
    write_video(cv2, path, fps=500.0)
    film = open_film(path)
    times, seen = zip(*film.frames, strict=True)
    assert list(times) == [2000 * k for k in range(COUNT)]
    assert film.last_us == 2000 * (COUNT - 1)
    grey = np.stack(seen)[..., 1].astype(int)
    assert np.abs(grey - pictures((COUNT, HEIGHT, 32))).max() <= 2
    (tmp_path / "noise.mp4").write_bytes(b"not a video" * 100)
    with pytest.raises(InputError, match="cannot be read as a video"):
        open_film(tmp_path / "noise.mp4")


def test_given_rate_stands_in_for_stamps_that_stand_still(tmp_path: Path) -> None:
    """Read a video with several pictures per stamp if it is told their rate."""
    cv2 = pytest.importorskip("cv2")
    path = tmp_path / "quick.mkv"
    write_video(cv2, path, fps=4000.0)
    with pytest.raises(InputError, match="stand still or go back; give --fps"):
        open_film(path)
    times = [at for at, _ in open_film(path, fps=4000).frames]
    assert times == [250 * k for k in range(COUNT)]
