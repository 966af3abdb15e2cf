"""What is worth telling about work that goes on: late, at risk, short of something, silent, unlike the rest. Pure."""
