"""What people look at, made of stored results."""
