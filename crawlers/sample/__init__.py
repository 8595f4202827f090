"""The sample site: a small fictional Korean portal with planted traps, served on loopback by `malmoi demo`."""
