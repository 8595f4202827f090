"""Detect licences, refusals and opt-outs on pages, in headers and beside sources; report evidence and signals."""

VERSION = 3  # increment it when marks, claims or signals are read differently: every format depends on it
