"""Sensors: state machines from light to events or spikes."""
