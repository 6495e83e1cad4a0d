"""Whom an exception reaches when nobody takes it up: a tenant's chain per severity, its rota, and the clock of each exception."""
