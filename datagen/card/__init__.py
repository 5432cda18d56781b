"""The card of a dataset: what a user should know before training on it."""

from datagen.card.build import build_card, write_card

__all__ = ["build_card", "write_card"]
