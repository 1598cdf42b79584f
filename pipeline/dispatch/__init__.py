"""ASYNC: takes shards from the journal and sends them at exactly the account's rate."""
