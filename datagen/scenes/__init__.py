"""Scenes: procedural presets and user stages as USD, loaded into one renderable model."""
