"""The analyst: what happened to an order, who is to blame, what to do; by an AI when it is worth it, else by the rules."""
