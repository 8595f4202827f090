"""E-mail addresses, handles and profile links."""
