"""What a candidate costs, known before anything is trained."""
