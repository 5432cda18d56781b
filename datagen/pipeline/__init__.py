"""One job from spec to dataset folder: open, render and sense in chunks, seal, package, describe.

Read in this order: `segment.py` (what a segment needs), `chunk.py` (one chunk), `sealing.py` (how
it survives a crash), `worker.py` (one segment), `job.py` (all of them), `estimate.py` from `sample.py`.
"""
