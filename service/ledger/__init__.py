"""The ledger: jobs, tasks, events, keys, uploads and datasets in SQL, and the only SQL there is.

Read in this order: `tables.py`, `database.py`, `journal.py` (every change with its event),
`jobs.py` (what users ask for), `work.py` (what the dispatcher does). Functions take a connection
inside a transaction; a caller opens one with `Database.read` or `Database.write`.
"""

from service.ledger.database import Database, open_database

__all__ = ["Database", "open_database"]
