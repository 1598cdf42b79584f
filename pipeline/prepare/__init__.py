"""PURE polars: a lazy frame of recipients in, a plan out. No clock, no disk, no network."""
