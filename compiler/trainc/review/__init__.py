"""What a reviewer asks of a build: which jobs there are, and what each takes."""
