"""Flow networks, one file each."""
