"""A module that ends the fork server that preloads it, and only that: the collection of tests imports it too."""

import os
import sys

if any("fork_server" in argument for argument in sys.orig_argv):
    os._exit(7)
