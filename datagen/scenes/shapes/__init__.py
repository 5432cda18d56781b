"""Closed triangle meshes: boxes, surfaces of revolution, tubes, prisms, rocks, and a catalogue."""
