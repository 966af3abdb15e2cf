"""What agents log and what models are asked, printed as it happens or as it is on record."""
