"""What agents keep to, so that they need not talk: tables of sentences for each regime, and what a plan adds. Pure."""
