"""Resource limits of this process (rlimit), never raised above the hard limit."""

from __future__ import annotations

import resource


def lower_limit(kind: int, value: int) -> None:
    """Set the soft limit `kind` (such as resource.RLIMIT_AS) to `value`, or to the hard limit if that is lower.

    A shell or a container may allow less than Malmoi asks for (`ulimit -v`), and a process cannot raise that.
    """
    hard = resource.getrlimit(kind)[1]
    soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (soft, hard))
