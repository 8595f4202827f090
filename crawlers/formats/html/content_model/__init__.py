"""The model that decides which lines of a web page are its main content: their features, and the weights."""
