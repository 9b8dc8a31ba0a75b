"""Collections of accounts that somebody recommends (FEP-7aa9): those of our people, and of others as they tell us."""
