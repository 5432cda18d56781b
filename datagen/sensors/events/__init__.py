"""Parts of the event camera: pixel models, their kernels and their specification."""
