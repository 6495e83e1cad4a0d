"""Where a tenant's messages go: Slack channels, e-mail lists, and webhooks of its own."""
