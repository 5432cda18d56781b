"""Event and spike representations for networks."""
