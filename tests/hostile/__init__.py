"""What a stranger's repository tries: tables of attacks, each of which must be held."""
