"""What runs inside the platform: jobs, and the evidence that they leave."""
