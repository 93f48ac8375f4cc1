"""What we remember: rows, transactions and migrations. The only speaker of SQL."""
