"""The lens: what of a store is drawn in which colours, on the server and in the browser."""
