"""Releases: publish kept documents as an immutable, verifiable folder.

    publish     kept documents → data/, audit/, LICENSE.md, manifest.json
    sha256sums  SHA256SUMS over all files, the card included
    verify      check a release from its folder alone
    version_history  the versions of a name, and the next one

This package has no code for a particular filter or source.
"""
