"""Prove whether an address or a text is in a release: a Merkle tree over sorted, salted digests."""
