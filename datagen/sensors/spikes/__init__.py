"""Parts of the spike camera: poll times, kernels and their specification."""
