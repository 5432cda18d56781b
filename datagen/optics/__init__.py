"""Optics: scene radiance to light on the sensor."""
