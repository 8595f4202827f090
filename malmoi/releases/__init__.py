"""From kept documents to an immutable, verifiable release.

    publish   kept documents → data/, audit/, LICENSE.md, manifest.json
    seal      SHA256SUMS over everything, the card included
    verify    what is promised, re-derived from the folder alone
    history   which versions a name has, and which comes next

Nothing here knows a filter or a source by name.
"""
