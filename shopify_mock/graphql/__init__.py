"""The shop's Admin API as GraphQL: what apps use to change orders."""
