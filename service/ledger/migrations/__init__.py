"""Changes of the tables, one file each; run when a ledger is opened."""
