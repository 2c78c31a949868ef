"""Where signed evidence is kept."""
