"""Messages to the outside: e-mail, Slack, signed webhooks. Each is a row, sent once for its key, with a log of its tries."""
