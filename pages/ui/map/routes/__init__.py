"""What the map asks for: routes, and what answers them."""
