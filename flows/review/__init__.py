"""Reviews by people: samples of granted documents."""
