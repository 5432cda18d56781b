"""Layouts of the presets: what stands, hangs and moves where, as plain data (`plan`)."""
