"""Storage: shards, checksums, shuffle, SQL queries."""
