"""What the Containerfiles of deploy/images come to."""
