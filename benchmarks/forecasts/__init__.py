"""How near a forecast comes to the whole run."""
