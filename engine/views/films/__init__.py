"""Films of a series: a picture a date, in common colours, as one animated file."""
