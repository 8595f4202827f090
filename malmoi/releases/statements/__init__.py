"""Signed statements: in-toto Statement v1 in a DSSE envelope, signed with Ed25519."""
