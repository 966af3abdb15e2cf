"""How to organise a number of agents before there is a plan: tables of choices, each with reason and price. Pure."""
