"""Writers of dataset files: our own format and those of others."""
