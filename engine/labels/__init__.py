"""Labels beside a store, under the same keys as its patches."""
