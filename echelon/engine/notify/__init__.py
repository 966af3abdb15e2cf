"""Messages to people on their way: who delivers them, through which channel, and how often it is tried."""
