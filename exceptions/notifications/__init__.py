"""What people are told, and how: a row for each person, matter and way, made with the change that causes it."""
