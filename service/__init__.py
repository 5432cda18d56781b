"""REST service over the pipeline."""
