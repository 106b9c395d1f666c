"""The pages, one short script each; what they share is in pages/ui."""
