"""The pages of people and programs: signing in, the team, its keys, a person's own password."""
