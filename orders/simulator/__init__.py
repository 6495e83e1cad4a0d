"""The simulator: another policy tried on past orders in the background, and what came of it, kept for a while."""
