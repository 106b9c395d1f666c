"""Which tiles an extraction visits, with which windows and in which order."""
