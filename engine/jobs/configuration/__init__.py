"""What a job is told to do: one model a kind of job."""
