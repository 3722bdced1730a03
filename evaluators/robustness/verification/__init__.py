"""A second look at few candidates: other images, far more effort, another library's attacks, a test of the attack."""
