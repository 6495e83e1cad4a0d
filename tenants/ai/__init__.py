"""What all tenants' use of the AI provider shares: the day's tokens, and the breaker. Public schema, PostgreSQL only."""
