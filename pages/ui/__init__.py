"""What the pages share; the only part of the browser side that reaches into the engine."""
