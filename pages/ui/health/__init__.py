"""The health card of a store: its numbers, each with a picture and a sentence."""
