"""Endpoints. Each reads what it needs, calls the ledger or the files, and answers with a view."""
