"""The dispatcher: one process per ledger that hands tasks to workers and keeps what comes of it.

Read in this order: `fairness.py` (who is next), `executor.py` (worker processes), `loop.py`.
"""
