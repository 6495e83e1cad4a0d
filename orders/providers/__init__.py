"""Providers: who sends webhooks, each an adapter of its own file that turns a payload into events. Pure."""
