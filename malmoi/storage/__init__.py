"""Files at rest: shards, checksums, shuffles, queries."""
