"""Exceptions folded by what they share: rules, the fold, what people decide, acts on all."""
