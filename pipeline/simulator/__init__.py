"""The Bandwidth Messaging API on a port, with seeded faults and a ledger of its own."""
