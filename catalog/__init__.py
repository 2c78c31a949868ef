"""What is operated, as data that a platform team edits, and its typed models."""
