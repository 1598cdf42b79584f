"""What became of it: receipts in, a result table out."""
