"""A Shopify shop outside of E²A: orders with their lives, webhooks, an Admin API. Speaks HTTP only."""
