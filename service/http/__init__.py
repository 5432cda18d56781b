"""HTTP itself: problem documents, byte ranges, limits, headers, event streams."""
