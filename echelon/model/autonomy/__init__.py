"""How far an agent proceeds on its own, and what of its record that rests on (X6, X11). Values only."""
