"""The quiz line by line, for screen readers, pipes and files: the same questions, schedule and progress as the app."""
