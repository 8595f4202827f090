"""Draw a random sample of what an access point holds, for `malmoi sources probe` and `forecast`."""
