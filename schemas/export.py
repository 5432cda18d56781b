"""Formats that a dataset can be written to, besides its own: one spec per format.

docs/export.md says what each one keeps and loses.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Name, Positive, PositiveCount, Spec


class StreamExportSpec(Spec):
    """What all formats of one sensor's stream have in common."""

    sensor: Name | None = None
    """Name of the sensor; the first one of its sort when not given."""


class EventExportSpec(StreamExportSpec):
    """What all event formats have in common."""

    clock: Literal["segment", "job"] = "segment"
    """Zero of the time stamps: the start of the segment, or of the job (adds `t_offset`)."""


class Evt2ExportSpec(EventExportSpec):
    """Prophesee RAW, encoding EVT 2.0: 4 bytes per event."""

    kind: Literal["evt2"] = "evt2"


class Evt3ExportSpec(EventExportSpec):
    """Prophesee RAW, encoding EVT 3.0: 2 to 6 bytes per event."""

    kind: Literal["evt3"] = "evt3"


class PropheseeDatExportSpec(EventExportSpec):
    """Prophesee DAT, version 2: 8 bytes per event."""

    kind: Literal["prophesee_dat"] = "prophesee_dat"


class Aedat4ExportSpec(EventExportSpec):
    """AEDAT 4.0 of the DV software: 16 bytes per event before compression."""

    kind: Literal["aedat4"] = "aedat4"
    compression: Literal["none", "lz4"] = "none"
    """Compression of each packet; `lz4` needs the `formats` extra."""


class Aedat2ExportSpec(EventExportSpec):
    """AEDAT 2.0 of jAER with the addresses of a DAVIS: 8 bytes per event."""

    kind: Literal["aedat2"] = "aedat2"
    flip_x: bool = True
    """Count columns from the right, as jAER's DAVIS files and v2e do."""
    flip_y: bool = True
    """Count rows from the bottom, as jAER's DAVIS files and v2e do."""


class V2eH5ExportSpec(EventExportSpec):
    """The event table of v2e's HDF5 files."""

    kind: Literal["v2e_h5"] = "v2e_h5"


class RpgTextExportSpec(EventExportSpec):
    """Text as in the Event Camera Dataset: a line `t x y p` per event, t in seconds."""

    kind: Literal["rpg_txt"] = "rpg_txt"
    size_line: bool = False
    """Begin with a line `width height`, as E2VID's reader expects."""


class CsvExportSpec(EventExportSpec):
    """Text: the line `t,x,y,p`, then one line per event, t in microseconds."""

    kind: Literal["csv"] = "csv"


class RosbagExportSpec(EventExportSpec):
    """A ROS 1 bag of dvs_msgs/EventArray. Needs the `formats` extra."""

    kind: Literal["rosbag"] = "rosbag"
    topic: Annotated[str, Field(pattern=r"^(/[A-Za-z][A-Za-z0-9_]*)+$")] = "/dvs/events"
    """Topic of the messages."""
    message_us: PositiveCount = 10_000
    """Time that one message covers [us]."""


class SpikeDatExportSpec(StreamExportSpec):
    """The `.dat` of Vidar spike cameras: one bit per pixel and poll."""

    kind: Literal["spike_dat"] = "spike_dat"
    flipud: bool = True
    """Write the bottom row first, as the cameras do and loaders expect."""


class SpikeCvExportSpec(StreamExportSpec):
    """A SpikeCV data set: the `.dat` files and their `config.yaml`."""

    kind: Literal["spikecv"] = "spikecv"


class SpikeZooExportSpec(StreamExportSpec):
    """A Spike-Zoo data set: `<split>/spike/*.dat`, each with its sharp picture in `<split>/gt`."""

    kind: Literal["spikezoo"] = "spikezoo"
    polls: PositiveCount = 301
    """Polls per clip; the picture belongs to the middle one."""


class FlowExportSpec(StreamExportSpec):
    """What all formats for flow networks have in common: an event stream and labels."""

    sequence: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")] | None = None
    """Name of the sequence, for one segment; its own, and the sensor's if one is named, when not
    given."""


class DsecExportSpec(FlowExportSpec):
    """DSEC's folders: events, flow and disparity pictures, images, calibration."""

    kind: Literal["dsec"] = "dsec"
    layout: Literal["official", "idnet", "eraft", "tonic"] = "official"
    """Whose readers the folders are arranged for."""
    interval_us: PositiveCount = 100_000
    """Time that one flow picture covers [us]; a whole number of frames."""
    baseline: Positive = 0.6
    """Distance to the imagined right camera that disparity refers to [m]."""
    any_size: bool = False
    """Take other sizes than 640x480, which DSEC's readers take for granted."""
    repeat_left: bool = False
    """Link the left camera's events as the right camera's: DSEC's scripts open both, and there is
    only one (layouts `official` and `idnet`)."""


class MvsecExportSpec(FlowExportSpec):
    """MVSEC's files: `<sequence>_data.hdf5`, `<sequence>_gt.hdf5`, `<sequence>_gt_flow_dist.npz`."""

    kind: Literal["mvsec"] = "mvsec"


class EventFlowExportSpec(FlowExportSpec):
    """The HDF5 file of TU Delft's event_flow, one per segment."""

    kind: Literal["event_flow"] = "event_flow"


class M3edExportSpec(FlowExportSpec):
    """M3ED's files: `<sequence>_data.h5`, `<sequence>_depth_gt.h5`, `<sequence>_gt_flow.h5`."""

    kind: Literal["m3ed"] = "m3ed"


class MultiflowExportSpec(FlowExportSpec):
    """MultiFlow's folders: flow from one instant to many, so whole trajectories of pixels."""

    kind: Literal["multiflow"] = "multiflow"
    split: Literal["train", "val"] | None = None
    """Folder that the samples go to; the segment's own split when not given."""
    length_us: PositiveCount = 1_000_000
    """Time that one sample covers [us]."""
    reference_us: PositiveCount = 400_000
    """The instant that flow starts from, after the sample's start [us]."""
    target_us: PositiveCount = 900_000
    """The last instant that flow leads to [us]."""
    every_us: PositiveCount = 10_000
    """Time between two instants that flow leads to [us]; divides the time up to the target."""


EventFormat = (
    Evt2ExportSpec
    | Evt3ExportSpec
    | PropheseeDatExportSpec
    | Aedat4ExportSpec
    | Aedat2ExportSpec
    | V2eH5ExportSpec
    | RpgTextExportSpec
    | CsvExportSpec
    | RosbagExportSpec
)
SpikeFormat = SpikeDatExportSpec | SpikeCvExportSpec | SpikeZooExportSpec

FlowFormat = (
    DsecExportSpec | MvsecExportSpec | EventFlowExportSpec | M3edExportSpec | MultiflowExportSpec
)

ExportSpec = Annotated[EventFormat | SpikeFormat | FlowFormat, Field(discriminator="kind")]
