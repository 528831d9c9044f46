"""Media of people who do not exist: demos, examples, first steps."""
