"""From scene radiance to light on the sensor, and to the stored picture."""

from datagen.optics.sensor_plane import oversample_for, sensor_light
from datagen.optics.tone import auto_exposure, to_srgb8

__all__ = ["auto_exposure", "oversample_for", "sensor_light", "to_srgb8"]
