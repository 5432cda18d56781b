"""Camera paths as continuous functions of time."""
