"""The steps, in the order of their file names. Each may be walked again after it died half-way."""
