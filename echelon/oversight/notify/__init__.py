"""Messages to people outside a run: what they say, in which shape, and the tokens that they are answered with. Pure."""
