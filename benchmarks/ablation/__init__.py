"""Inputs, held-out sets and plans for `malmoi ablate`, made of the real corpora; nothing of them is committed."""
