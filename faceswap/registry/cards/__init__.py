"""What a version says of itself: its card for programs, its card for people, its measures, its outputs' origin."""
