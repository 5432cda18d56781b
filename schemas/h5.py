"""The layout of a segment file as a table: what is where, in which dtype, shape and unit.

The tables of `docs/dataset_format.md` are made from this one, the writer and the validator walk it.
Dimension names: N frames, H rows, W columns, E events, P polls, B bytes per poll = ceil(H W / 8),
K instances, M moving instances, MS milliseconds.

A group `events` stands for the first event sensor (also an emulated one); further ones lie in
`events_<name>` with the same columns, and likewise `spikes` and `spikes_<name>`.
"""

from __future__ import annotations

from dataclasses import dataclass

FORMAT_MAJOR = 1
FORMAT_MINOR = 0
FORMAT_VERSION = f"{FORMAT_MAJOR}.{FORMAT_MINOR}"


@dataclass(frozen=True, slots=True)
class Column:
    """One HDF5 dataset."""

    path: str
    dtype: str
    dims: tuple[str, ...]
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """One HDF5 attribute of a group."""

    group: str
    name: str
    kind: str
    meaning: str


EVENT_COLUMNS = (
    Column("events/t", "int64", ("E",), "us", "Time since segment start, not decreasing. Frame k's interval is (t_k, t_{k+1}]."),
    Column("events/x", "uint16", ("E",), "px", "Column, 0 <= x < W."),
    Column("events/y", "uint16", ("E",), "px", "Row, 0 <= y < H."),
    Column("events/p", "uint8", ("E",), "", "Polarity: 1 brighter, 0 darker."),
    Column("events/frame_to_idx", "uint64", ("N",), "", "Events with t <= time of frame k: frame k to k+1 holds [frame_to_idx[k], frame_to_idx[k+1])."),
)  # fmt: skip

NOISE_COLUMN = Column(
    "events/noise",
    "uint8",
    ("E",),
    "",
    "1 where noise caused the event, 0 where light did; only where the sensor's `labels` are on.",
)

ROOT_EVENT_COLUMNS = (
    Column("ms_to_idx", "uint64", ("MS",), "", "Entry m: first event of `events` with t >= 1000 m, for every millisecond m through one millisecond past the last frame."),
    Column("t_offset", "int64", (), "us", "Start of the segment on the job's clock; add it to any t."),
)  # fmt: skip

SPIKE_COLUMNS = (
    Column("spikes/packed", "uint8", ("P", "B"), "", "One bit per pixel and poll: row-major, least significant bit first, zero-padded. Poll n ends at (n + 1) / rate_hz seconds."),
    Column("spikes/frame_to_poll", "uint64", ("N",), "", "Polls that end at or before frame k."),
)  # fmt: skip

COLUMNS = (
    Column("frames/t", "int64", ("N",), "us", "Time of the labels since segment start."),
    Column("frames/segment_id", "uint16", ("N",), "", "The same number for every frame of a file."),
    Column("frames/sub_frame_count", "uint16", ("N",), "", "Pictures rendered for the sensors in (t_{k-1}, t_k]."),
    Column("frames/rgb", "uint8", ("N", "H", "W", "3"), "sRGB", "Instantaneous picture, exposure applied, sRGB-encoded."),
    Column("frames/luminance", "float16", ("N", "H", "W"), "white = 1", "Linear Rec. 709 luminance on the sensor: what mono sensors integrate."),
    Column("frames/depth", "float32", ("N", "H", "W"), "m", "z-depth at the pixel centre; +inf where nothing is hit."),
    Column("frames/instance", "uint16", ("N", "H", "W"), "", "Instance id at the pixel centre; 0 = background."),
    Column("flow/forward", "float32", ("N", "H", "W", "2"), "px", "Position at frame k+1 minus position at frame k on frame k's grid; x right, y down. Zero and invalid on the last frame."),
    Column("flow/forward_valid", "uint8", ("N", "H", "W"), "", "1 where the surface point is in the picture and not occluded at frame k+1."),
    Column("flow/backward", "float32", ("N", "H", "W", "2"), "px", "Position at frame k-1 minus position at frame k on frame k's grid. Zero and invalid on the first frame."),
    Column("flow/backward_valid", "uint8", ("N", "H", "W"), "", "1 where the surface point is in the picture and not occluded at frame k-1."),
    Column("flow/from_us", "int64", ("N",), "us", "Start of forward flow."),
    Column("flow/to_us", "int64", ("N",), "us", "End of forward flow; equal to from_us on the last frame."),
    Column("pose/position", "float64", ("N", "3"), "m", "Camera centre, world frame."),
    Column("pose/quaternion_xyzw", "float64", ("N", "4"), "", "world_from_camera, OpenCV camera axes."),
    Column("pose/linear_velocity", "float64", ("N", "3"), "m/s", "Of the camera centre, world frame."),
    Column("pose/angular_velocity", "float64", ("N", "3"), "rad/s", "Of the camera, world axes."),
    Column("objects/instance_id", "uint16", ("K",), "", "Instances of the stage, in stage order."),
    Column("objects/prim_path", "str", ("K",), "", "Their USD prim paths."),
    Column("objects/moving_id", "uint16", ("M",), "", "Instance ids of those that move."),
    Column("objects/world_from_object", "float64", ("N", "M", "4", "4"), "m", "Pose of every moving instance at frame k (affine, column vectors)."),
)  # fmt: skip

ATTRIBUTES = (
    Attribute("/", "format_version", "str", "major.minor; a reader refuses a newer major."),
    Attribute("/", "spec", "str", "The job as canonical JSON."),
    Attribute("/", "spec_sha256", "str", "SHA-256 of `spec`."),
    Attribute("/", "versions", "str", "JSON: package versions that made the file."),
    Attribute("/", "seed", "int", "The job's seed."),
    Attribute("/", "renderer", "str", "Kind of renderer."),
    Attribute("/", "verified", "bool", "The renderer's conventions are proved for this installation."),
    Attribute("/", "licence", "str", "Licence of the data."),
    Attribute("/", "segment_id", "int", "Id of the segment."),
    Attribute("/", "segment_name", "str", "Name of the segment."),
    Attribute("/", "split", "str", "train, val or test."),
    Attribute("calib", "width", "int", "Columns [px]."),
    Attribute("calib", "height", "int", "Rows [px]."),
    Attribute("calib", "fx", "float", "Focal length [px]."),
    Attribute("calib", "fy", "float", "Focal length [px]."),
    Attribute("calib", "cx", "float", "Principal point [px]; the centre of the top left pixel is 0.5."),
    Attribute("calib", "cy", "float", "Principal point [px]."),
    Attribute("calib", "distortion", "str", "Distortion model; `none` for a pinhole."),
    Attribute("calib", "optics", "str", "JSON of the optics spec."),
    Attribute("calib", "body_from_camera", "float[4,4]", "The mount."),
    Attribute("calib", "exposure", "float", "Factor from scene radiance to sensor light."),
    Attribute("events", "sensor", "str", "JSON of the sensor spec."),
    Attribute("events", "key", "int", "64-bit key of the sensor's randomness (uint64)."),
    Attribute("spikes", "sensor", "str", "JSON of the sensor spec."),
    Attribute("spikes", "key", "int", "64-bit key of the sensor's randomness (uint64)."),
    Attribute("spikes", "width", "int", "Columns [px]."),
    Attribute("spikes", "height", "int", "Rows [px]."),
    Attribute("spikes", "rate_hz", "float", "Polls per second."),
    Attribute("spikes", "theta", "float", "Threshold: charge of one spike."),
    Attribute("spikes", "alpha", "float", "Spikes per poll at luminance 1, in units of theta."),
    Attribute("spikes", "bitorder", "str", "`little`."),
)  # fmt: skip
